-- Sets the clock of the business rules: to an instant where it stands, or with
-- null back to the real time. For tests; only the owner may.
create or replace function erp.set_clock(p_at timestamptz) returns timestamptz
language sql security definer set search_path = pg_catalog
as $$ update erp.clock set fixed = p_at, shift = '0' returning erp.now() $$;
