-- Sets the clock of the business rules: to an instant where it stands, or with
-- null back to the real time. Open pages look again, since prices go by dates.
-- For tests; only the owner may.
create or replace function erp.set_clock(p_at timestamptz) returns timestamptz
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  select portal.emit('catalog', null, '');
  update erp.clock set fixed = p_at, shift = '0' returning erp.now();
$$;
