-- What a status of an order means, for statements: erp.is_open(o.status),
-- erp.is_pickable(o.status) … one function for each is_ column of erp.order_status,
-- written from its rows, so that no other place lists statuses.
--
-- Why functions, and not `status in (select s.code from erp.order_status s where …)`:
-- PostgreSQL puts the body of these into the statement before it plans it, so the planner
-- sees the list itself. Only so do the partial indexes sales_order_queue and
-- sales_order_uninvoiced serve, and the statistics of sales_order.status count. With the
-- subselect the desk's queue reads every order there ever was. For the same reason they
-- are plain SQL, immutable, and have no settings of their own: each of these would stop it.

-- Writes the functions. A status that is unknown, or null, gives what `in` gives.
create or replace function erp.write_order_status() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  meaning text;
  codes text;
begin
  for meaning in
    select a.attname from pg_attribute a
    where a.attrelid = 'erp.order_status'::regclass and a.attname like 'is\_%' and not a.attisdropped
    order by a.attnum
  loop
    execute format('select string_agg(quote_literal(s.code), %L order by s.sort) from erp.order_status s where s.%I',
      ', ', meaning) into codes;
    execute format('create or replace function erp.%I(status text) returns boolean '
      || 'language sql immutable parallel safe as %L', meaning, format('select status in (%s)', codes));
    execute format('grant execute on function erp.%I(text) to portal_web, portal_desk, portal_work', meaning);
  end loop;
end
$$;

select erp.write_order_status();
