-- Does the next thing there is to do for a standing order, and tells it: one
-- row, or none where nothing is due. The job calls it until there is none.
--   announced  the order will be made within a day: time to change or skip it
--   made       it was made; left_out are the refusals of lines that are not on it
--   failed     it could not be: findings say why. Nothing was ordered.
--   missed     its cutoff passed while no job ran
-- The row of the standing order is locked first and what became of a date is a
-- row of its own, so each is done once, on however many nodes this runs.
create or replace function portal.run_standing_order(p_standing_order_id bigint)
returns table (customer_id bigint, name text, outcome text, run_date date, delivery_date date, cutoff timestamptz,
  send_at timestamptz,
  order_no text, findings jsonb, left_out jsonb, see_prices boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
  o portal.standing_order;
  d record;
  made_id bigint;
  made_no text;
  found_json jsonb := '[]';
  gone jsonb := '[]';
  became text;
  look timestamptz := erp.now() + interval '6 hours'; -- zones and rules may change without telling
begin
  select * into o from portal.standing_order s where s.standing_order_id = p_standing_order_id for update;
  if not found or o.paused then
    return;
  end if;
  -- beyond those that are skipped: an order may be due before they are over
  for d in
    select x.* from portal.standing_dates(p_standing_order_id, 4 + (select count(*)::int from portal.standing_run r
      where r.standing_order_id = o.standing_order_id and r.outcome = 'skipped'
        and greatest(r.run_date, r.delivery_date) >= erp.today() - 1)) x
  loop
    continue when d.outcome = 'skipped';
    if d.cutoff <= erp.now() then
      became := 'missed';
    elsif d.send_at <= erp.now() then
      select x.order_id, x.order_no, x.findings, x.left_out into made_id, made_no, found_json, gone
      from (
        select array_agg(l.item_id order by l.added_at, l.item_id, l.uom) as items, array_agg(l.uom order by l.added_at,
          l.item_id, l.uom) as uoms,
          array_agg(l.qty order by l.added_at, l.item_id, l.uom) as qtys, array_agg(null::numeric) as limits
        from portal.standing_order_line l where l.standing_order_id = o.standing_order_id
      ) a
      cross join lateral portal.place_order(o.customer_id, null, null, a.items, a.uoms, a.qtys, a.limits, o.po_no,
        o.ship_to_id,
        d.delivery_date, o.note, null, '[]', null, p_repeats_po => true, p_leave_out => true,
          p_standing_order => o.name) x;
      became := case when made_no is null then 'failed' else 'made' end;
    elsif d.send_at - interval '1 day' <= erp.now() and d.outcome is null then
      became := 'announced';
    else
      look := least(look, case when d.outcome is null then d.send_at - interval '1 day' else d.send_at end);
      continue;
    end if;

    insert into portal.standing_run as r (standing_order_id, run_date, delivery_date, route_run, outcome, order_id,
      findings)
    values (o.standing_order_id, d.run_date, d.delivery_date, d.route_run, became, made_id,
      coalesce((
        -- without the figures of credit, which are for staff
        select jsonb_agg(case when f ->> 'code' in ('over_credit', 'credit_hold', 'past_due') then f || '{"detail": {}}'
          else f end)
        from jsonb_array_elements(found_json) f where became = 'failed' and f ->> 'action' = 'refuse'), '[]') || gone)
    on conflict (standing_order_id, run_date) do update
      set outcome = excluded.outcome, delivery_date = excluded.delivery_date, route_run = excluded.route_run,
        order_id = excluded.order_id, findings = excluded.findings, at = erp.now();
    return query
      select o.customer_id, o.name, became, d.run_date, d.delivery_date, d.cutoff, d.send_at, made_no, found_json, gone,
        w.see_prices
      from erp.web_access w where w.customer_id = o.customer_id;
    return;
  end loop;
  update portal.standing_order s set next_at = look where s.standing_order_id = p_standing_order_id;
end
$$;
grant execute on function portal.run_standing_order(bigint) to portal_work;
