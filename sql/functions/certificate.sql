-- Certificates that lie in the database, without their keys, for who looks until when they are good.
create or replace function portal.certificate_chains() returns table (name text, chain text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select c.name, substring(t.pem from '-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----')
  from portal.certificate_cache c
  cross join lateral (select convert_from(c.data, 'LATIN1') as pem) t
  where t.pem like '%-----BEGIN CERTIFICATE-----%'
  order by c.name
$$;
grant execute on function portal.certificate_chains() to portal_work, portal_auth;
