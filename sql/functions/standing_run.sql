-- What a buyer does about one date of a standing order: skip it, take that
-- back, or have an order that could not be made tried once more. Only while its
-- cutoff is ahead, and not once it was made.
create or replace function portal.set_standing_run(p_standing_order_id bigint, p_run_date date, p_action text)
  returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o portal.standing_order;
  d record;
begin
  select * into o from portal.standing_order s where s.standing_order_id = p_standing_order_id for update;
  if not found then
    raise exception 'There is no such standing order.' using errcode = 'PT404', constraint = 'standing_order';
  end if;
  perform portal.assert_customer(o.customer_id);
  if not portal.login_may(portal.login_id(), o.customer_id, 'standing') then
    raise exception 'Your orders have a limit: a colleague without one sets up standing orders.'
      using errcode = 'PT403', constraint = 'role_no_standing';
  end if;
  if p_action = 'retry' then
    delete from portal.standing_run r
      where r.standing_order_id = o.standing_order_id and r.run_date = p_run_date and r.outcome = 'failed';
    if not found then
      raise exception 'There is nothing to try again.' using errcode = 'PT409', constraint = 'standing_run';
    end if;
  end if;
  select x.* into d from portal.standing_dates(o.standing_order_id, 60) x where x.run_date = p_run_date
    and x.cutoff > erp.now();
  if not found then
    raise exception '%', case when exists (select from portal.standing_run r
        where r.standing_order_id = o.standing_order_id and r.run_date = p_run_date and r.outcome = 'made')
      then 'The order for that day was made already: look at it, and cancel it there.'
      else 'It is too late for that day, or it is none of this standing order.' end
      using errcode = 'PT409', constraint = 'standing_run';
  end if;
  if p_action = 'skip' then
    insert into portal.standing_run as r (standing_order_id, run_date, delivery_date, route_run, outcome)
    values (o.standing_order_id, d.run_date, d.delivery_date, d.route_run, 'skipped')
    on conflict (standing_order_id, run_date) do update set outcome = 'skipped', at = erp.now();
  elsif p_action = 'unskip' then
    delete from portal.standing_run r
      where r.standing_order_id = o.standing_order_id and r.run_date = p_run_date and r.outcome = 'skipped';
  end if;
  update portal.standing_order s set next_at = null where s.standing_order_id = o.standing_order_id;
end
$$;
grant execute on function portal.set_standing_run(bigint, date, text) to portal_web;
