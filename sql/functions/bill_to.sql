-- A customer's address on papers, in lines below its name: its own, or else
-- that of its first ship-to.
create or replace function erp.bill_to(p_customer_id bigint) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(nullif(btrim(c.bill_to, E' \n'), ''), (
    select concat_ws(E'\n', nullif(s.address1, ''), nullif(s.address2, ''),
      nullif(btrim(concat_ws(' ', nullif(concat_ws(', ', nullif(s.city, ''), nullif(s.region, '')), ''),
        nullif(s.postal_code, ''))), ''), nullif(s.country, ''))
    from erp.ship_to s where s.customer_id = c.customer_id and s.active order by s.code limit 1), '')
  from erp.customer c where c.customer_id = p_customer_id and portal.assert_customer(p_customer_id)
$$;
grant execute on function erp.bill_to(bigint) to portal_web, portal_desk, portal_work;
