-- name: certificate_get
select data from portal.certificate_cache where name = @name;

-- name: certificate_put
insert into portal.certificate_cache (name, data, changed_at) values (@name, @data, erp.now())
on conflict (name) do update set data = excluded.data, changed_at = excluded.changed_at;

-- name: certificate_delete
delete from portal.certificate_cache where name = @name;

-- name: unknown_proxy_seen
insert into portal.unknown_proxy (source, node, first_at, last_at) values (@source, @node, erp.now(), erp.now())
on conflict (source) do update set node = excluded.node, last_at = excluded.last_at;

-- name: examine_certificates
select c.name, c.chain from portal.certificate_chains() c;

-- name: examine_unknown_proxies
-- Networks that are private are a proxy of this house's more likely than not.
select p.source, p.node, to_char(p.last_at, 'YYYY-MM-DD HH24:MI') as last_at,
  p.source = '::/64' or p.source::inet <<= any (array['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '127.0.0.0/8',
    '100.64.0.0/10', 'fc00::/7', 'fe80::/10']::inet[]) as near
from portal.unknown_proxy p
where p.last_at > erp.now() - interval '7 days' and p.source <> 'unknown'
order by p.last_at desc limit 10;
