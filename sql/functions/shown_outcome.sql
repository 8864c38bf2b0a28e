-- What a page said of the outcome of an order that is about to be sent, and how
-- it differs by now: whether it is approved at once, waits for review or for a
-- colleague's signature, the day of delivery, the ship-to, and the reasons and
-- warnings. A form carries it as JSON (field shown_outcome):
--
--   outcome   approve, queue, sign_off, or refuse: not to be sent as it stands
--   day       of delivery, YYYY-MM-DD; null where none is named
--   ship_to   [code, text], or null
--   findings  one array each, [code, action, item_no, uom, backordered,
--             expected_on], all strings or null, in no order
--
-- The page and submit write it with the same function (portal.shown_outcome).
-- It tells a buyer no more than the page does: reasons of credit are all called
-- "account", those of cost and of stock that is hidden "order".

-- One finding of erp.order_findings as a page shows it.
create or replace function portal.shown_finding(p_finding jsonb, p_uoms text[]) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_array(
    case when f.code in ('over_credit', 'credit_hold', 'past_due') then 'account'
      when f.code = 'price_under_cost' or f.code = 'stock_short' and f.detail ->> 'stock' = 'hidden' then 'order'
      else f.code end,
    f.action, f.detail ->> 'item_no', p_uoms[f.line], trim_scale((f.detail ->> 'backordered')::numeric)::text,
      f.detail ->> 'expected_on')
  from jsonb_to_record(p_finding) as f(code text, action text, line int, detail jsonb)
$$;

-- What p_findings (objects with the columns of erp.order_findings, its row
-- next_delivery among them) say of the outcome; p_uoms are the units of the lines.
create or replace function portal.shown_outcome(p_findings jsonb, p_uoms text[], p_ship_to_id bigint) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    -- what only asks to be confirmed is no reason not to send
    'outcome', case
      when bool_or(f ->> 'action' = 'refuse' and f ->> 'code' not in ('prices_rose', 'po_repeated', 'lines_changed'))
        then 'refuse'
      when bool_or(f ->> 'action' = 'sign_off') then 'sign_off'
      when bool_or(f ->> 'action' = 'queue') then 'queue'
      else 'approve' end,
    'day', min(f #>> '{detail,delivery_date}') filter (where f ->> 'code' = 'next_delivery'),
    'ship_to', (select jsonb_build_array(s.code, concat_ws(', ', s.name, nullif(s.city, ''))) from erp.ship_to s
      where s.ship_to_id = p_ship_to_id),
    'findings', coalesce(jsonb_agg(distinct portal.shown_finding(f, p_uoms)) filter (where f ->> 'action' in ('warn',
      'queue', 'sign_off')), '[]'))
  from jsonb_array_elements(p_findings) f
$$;
grant execute on function portal.shown_finding(jsonb, text[]), portal.shown_outcome(jsonb, text[],
  bigint) to portal_web;

-- What a form carries of the outcome; null where it carries nothing, or nothing
-- that can be read: then nothing is compared.
create or replace function portal.read_outcome(p_shown text) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
declare
  page jsonb;
begin
  if coalesce(p_shown, '') = '' then
    return null;
  end if;
  page := p_shown::jsonb;
  if jsonb_typeof(page) <> 'object' then
    return null;
  end if;
  return case when jsonb_typeof(page -> 'findings') = 'array' then page else page || '{"findings": []}' end;
exception when data_exception then -- not JSON
  return null;
end
$$;

-- What a finding of a page is about: its code, item and unit.
create or replace function portal.shown_finding_key(p_shown jsonb) returns text
language sql immutable
as $$ select concat_ws('|', p_shown ->> 0, p_shown ->> 2, p_shown ->> 3) $$;

-- How bad an action is: a page that named one has told of the lesser ones too.
create or replace function portal.action_weight(p_action text) returns int
language sql immutable
as $$ select case p_action when 'warn' then 1 when 'queue' then 2 when 'sign_off' then 3 else 0 end $$;

-- How the outcome differs from what the page said (p_page), as findings that
-- refuse. Told are changes for the worse, and any other day of delivery, an
-- earlier one too, since somebody has to be there: but not the day that the form
-- itself asks for (p_wish). The ship-to is compared where the form names the one
-- that the page did.
--   outcome_changed   from, to
--   delivery_changed  from, to: days, or null
--   ship_to_changed   from, to
--   finding_new       of, by: code and action of the finding, in place of it and
--                     with its detail; had: the page's finding with lesser
--                     figures, or null
-- The first has the outcome as it is now (said), for a form to confirm it.
create or replace function portal.outcome_changes(p_page jsonb, p_findings jsonb, p_uoms text[], p_ship_to_id bigint,
  p_wish date) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  now jsonb := portal.shown_outcome(p_findings, p_uoms, p_ship_to_id);
  was text := p_page ->> 'outcome';
  is_now text := now ->> 'outcome';
  differ jsonb;
  page jsonb; -- the findings that it had
begin
  select coalesce(jsonb_agg(jsonb_build_object('code', c.code, 'action', 'refuse', 'field', c.field, 'line', null,
      'detail', jsonb_build_object('from', c.was, 'to', c.is_now)) order by c.n), '[]')
    into differ
  from (
    -- to be sent to us at once, where a colleague was to look, is more than was asked for
    select 1 as n, 'outcome_changed' as code, null as field, was, is_now
      where was in ('approve', 'queue') and portal.action_weight(was) < portal.action_weight(is_now)
        or was = 'sign_off' and is_now in ('approve', 'queue')
    union all
    select 2, 'delivery_changed', null, p_page ->> 'day', now ->> 'day'
      where p_page ? 'day' and p_page ->> 'day' is distinct from now ->> 'day'
        and (p_wish is null or now ->> 'day' is distinct from to_char(p_wish, 'YYYY-MM-DD'))
    union all
    select 3, 'ship_to_changed', 'ship_to', p_page #>> '{ship_to,1}', now #>> '{ship_to,1}'
      where p_page #>> '{ship_to,0}' = now #>> '{ship_to,0}' and p_page #>> '{ship_to,1}' <> now #>> '{ship_to,1}'
  ) c;

  -- looked up and not joined, as in portal.shown_by_line
  select coalesce(jsonb_object_agg(portal.shown_finding_key(p), p order by portal.action_weight(p ->> 1)), '{}')
    into page
  from jsonb_array_elements(p_page -> 'findings') p where p ->> 0 is not null;
  select differ || coalesce(jsonb_agg(f.finding || jsonb_build_object('code', 'finding_new', 'action', 'refuse',
    'detail',
      coalesce(f.finding -> 'detail', '{}') || jsonb_build_object('of', f.finding -> 'code', 'by',
        f.finding -> 'action', 'had', f.had ->> 4)) order by f.n), '[]')
    into differ
  from (
    select distinct on (shown) x.value as finding, x.ordinality as n, shown, page -> portal.shown_finding_key(shown)
      as had
    from jsonb_array_elements(p_findings) with ordinality x cross join lateral portal.shown_finding(x.value,
      p_uoms) shown
    where portal.action_weight(x.value ->> 'action') > 0
    order by shown, x.ordinality
  ) f
  where portal.action_weight(f.had ->> 1) < portal.action_weight(f.shown ->> 1)
    or (f.shown ->> 4)::numeric > coalesce(substring(f.had ->> 4 from '^[0-9]{1,12}(?:[.][0-9]{1,12})?$')::numeric, 0)
    or coalesce(f.shown ->> 5, '9999') > coalesce(f.had ->> 5, '9999');

  if jsonb_array_length(differ) > 0 then
    differ := jsonb_set(differ, '{0,detail,said}', to_jsonb(now::text));
  end if;
  return differ;
end
$$;
