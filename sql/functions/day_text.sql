-- A date as the portal's pages write it: "Tue 7 Jul 2026".
create or replace function erp.day_text(p_day date) returns text
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$ select to_char(p_day, 'Dy FMDD Mon YYYY') $$;
grant execute on function erp.day_text(date) to portal_web, portal_desk, portal_work;
