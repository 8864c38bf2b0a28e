-- What portal_web, portal_desk, portal_work and portal_auth may do, and which rules hold,
-- read from PostgreSQL's catalogue as rows that are the same in every database
-- of one version of the portal. Names come with their schema, since the
-- transaction has search_path = pg_catalog.

-- name: wall_rows
with space as materialized (
  select n.oid, n.nspname, n.nspowner, n.nspacl from pg_namespace n where n.nspname in ('erp', 'portal', 'river')
),
relation as materialized (
  select c.oid, c.oid::regclass::text as name, s.nspname, c.relkind, c.relowner, c.relacl, c.relrowsecurity,
    c.relforcerowsecurity, c.reloptions,
    case c.relkind when 'S' then 'sequence' when 'v' then 'view' else 'table' end as kind
  from pg_class c join space s on s.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'S')
),
routine as materialized (
  select p.*, p.oid::regprocedure::text as name, s.nspname from pg_proc p join space s on s.oid = p.pronamespace
),
-- River's own tables are River's to look after: only owners and rights count
ours as materialized (select r.* from relation r where r.nspname <> 'river' and r.relkind in ('r', 'p')),
part as (
  select 'role' as kind, x.rolname::text as name, x.rolname::text as object, concat_ws(', ',
    case when x.rolsuper then 'superuser' end, case when x.rolbypassrls then 'bypassrls' end,
    case when x.rolcreaterole then 'createrole' end, case when x.rolcreatedb then 'createdb' end,
    case when x.rolreplication then 'replication' end) as def
  from pg_roles x where x.rolname in ('portal_owner', 'portal_web', 'portal_desk', 'portal_work', 'portal_auth')
  union all
  select 'member', format('%I to %I', g.rolname, x.rolname), x.rolname, ''
  from pg_auth_members m join pg_roles g on g.oid = m.roleid join pg_roles x on x.oid = m.member
  where x.rolname in ('portal_web', 'portal_auth') or x.rolname in ('portal_desk', 'portal_work')
    and g.rolname = 'portal_owner'
  union all
  select 'owner', format('schema %I', s.nspname), format('%I', s.nspname), pg_get_userbyid(s.nspowner)::text
    from space s
  union all
  select 'owner', r.kind || ' ' || r.name, r.name, pg_get_userbyid(r.relowner)::text from relation r
  where r.relkind <> 'S' or not exists (select from pg_depend d
    where d.classid = 'pg_class'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
      and d.deptype in ('a', 'i'))
  union all
  select 'owner', 'function ' || f.name, f.name, pg_get_userbyid(f.proowner)::text from routine f where f.prokind = 'f'
  union all
  select 'table', r.name, r.name, '' from ours r
  union all
  select 'rls', r.name, r.name, case when not r.relrowsecurity then 'off' when r.relforcerowsecurity then 'forced'
    else 'on' end from ours r
  union all
  select 'policy', format('%I on %s', p.polname, r.name), r.name, format('as %s for %s to %s%s%s',
    case when p.polpermissive then 'permissive' else 'restrictive' end,
    case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
      else 'all' end,
    case when p.polroles = '{0}' then 'public' else (select string_agg(format('%I', x.rolname), ', ' order by x.rolname)
      from pg_roles x where x.oid = any (p.polroles)) end,
    ' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', ' with check (' || pg_get_expr(p.polwithcheck, p.polrelid)
      || ')')
  from ours r join pg_policy p on p.polrelid = r.oid
  union all
  select 'column', format('%s.%I', r.name, a.attname), r.name,
    json_build_object('type', format_type(a.atttypid, a.atttypmod), 'not null', a.attnotnull,
    'identity', a.attidentity, 'generated', a.attgenerated, 'default', pg_get_expr(d.adbin, d.adrelid))::text
  from ours r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
  union all
  select 'function', f.name, f.name, json_build_object('arguments', pg_get_function_arguments(f.oid), 'result',
    pg_get_function_result(f.oid),
    'language', l.lanname, 'security', case when f.prosecdef then 'definer' else 'invoker' end,
    'volatility', case f.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end, 'strict',
      f.proisstrict,
    'parallel', f.proparallel, 'leakproof', f.proleakproof, 'settings', array_to_string(f.proconfig, '; '),
    'body', left(encode(sha256(convert_to(f.prosrc, 'UTF8')), 'hex'), 24))::text
  from routine f join pg_language l on l.oid = f.prolang where f.nspname <> 'river' and f.prokind = 'f'
  union all
  select 'view', r.name, r.name, coalesce('with (' || array_to_string(r.reloptions, ', ') || ') ', '') || 'as '
    || btrim(regexp_replace(pg_get_viewdef(r.oid), '\s+', ' ', 'g'), ' ;')
  from relation r where r.relkind = 'v' and r.nspname <> 'river'
  union all
  select 'constraint', format('%s.%I', r.name, k.conname), r.name, pg_get_constraintdef(k.oid)
    || case when exists (select from pg_trigger t where t.tgconstraint = k.oid and t.tgisinternal
      and t.tgenabled not in ('O', 'A')) then ' [not held]' else '' end
  from ours r join pg_constraint k on k.conrelid = r.oid where k.contype in ('p', 'u', 'f', 'c', 'x')
  union all
  select 'index', i.indexrelid::regclass::text, r.name, pg_get_indexdef(i.indexrelid) || case when i.indisvalid then ''
    else ' [invalid]' end
  from ours r join pg_index i on i.indrelid = r.oid where not exists (select from pg_constraint k
    where k.conindid = i.indexrelid)
  union all
  select 'trigger', format('%I on %s', t.tgname, r.name), r.name, pg_get_triggerdef(t.oid)
    || case t.tgenabled when 'O' then '' when 'A' then '' else ' [disabled]' end
  from ours r join pg_trigger t on t.tgrelid = r.oid where not t.tgisinternal
  union all
  -- a name without the database's: the copy of a database has another
  select 'database', 'temporary objects', 'database',
    coalesce((select string_agg(coalesce(x.rolname::text, 'public'), ', ' order by coalesce(x.rolname::text, 'public'))
    from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a left join pg_roles x
      on x.oid = a.grantee
    where d.datname = current_database() and a.privilege_type = 'TEMPORARY'
      and (a.grantee = 0 or x.rolname in ('portal_owner', 'portal_web', 'portal_desk', 'portal_work', 'portal_auth'))),
        'nobody')
  union all
  select 'default', 'schema public', 'public', case when exists (select from pg_namespace n,
    aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
    where n.nspname = 'public' and a.grantee = 0 and a.privilege_type = 'CREATE') then 'public may create'
      else 'public may not create' end
  union all
  select 'default', 'functions of portal_owner', 'portal_owner', case when exists (select from aclexplode(d.defaclacl) a
    where a.grantee = 0) then 'public may execute' else 'public may not execute' end
  from pg_default_acl d where d.defaclrole = (select x.oid from pg_roles x where x.rolname = 'portal_owner')
    and d.defaclnamespace = 0 and d.defaclobjtype = 'f'
),
acl as (
  select 'schema' as kind, format('%I', s.nspname) as object, '' as columns, s.nspowner as owner, a.grantee,
    a.privilege_type
  from space s, aclexplode(coalesce(s.nspacl, acldefault('n', s.nspowner))) a
  union all
  select case r.kind when 'sequence' then 'sequence' else 'table' end, r.name, '', r.relowner, a.grantee,
    a.privilege_type
  from relation r, aclexplode(coalesce(r.relacl, acldefault(case r.relkind when 'S' then 's' else 'r' end::"char",
    r.relowner))) a
  union all
  select 'table', r.name, format(' (%I)', c.attname), r.relowner, a.grantee, a.privilege_type
  from relation r join pg_attribute c on c.attrelid = r.oid and c.attacl is not null and not c.attisdropped,
    aclexplode(c.attacl) a
  union all
  select 'function', f.name, '', f.proowner, a.grantee, a.privilege_type
  from routine f, aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a where f.prokind = 'f'
)
select kind, name, object, def from part
union all
select 'grant', format('%s%s on %s %s to %s', lower(a.privilege_type), a.columns, a.kind, a.object,
  coalesce(x.rolname, 'public')), a.object, ''
from acl a left join pg_roles x on x.oid = a.grantee
where a.grantee <> a.owner and (a.grantee = 0 or x.rolname in ('portal_web', 'portal_desk', 'portal_work',
  'portal_auth'))
order by 1, 2;

-- name: wall_record
-- What the last migration left here: see portal.wall.
select w.version, w.manifest, w.written from portal.wall w;

-- name: wall_versions
select m.version_id from portal.migration m;

-- name: wall_keep
insert into portal.wall (version, manifest, written) values (@version, @manifest, @written::text::jsonb)
on conflict (only_row) do update
  set version = excluded.version, manifest = excluded.manifest, written = excluded.written,
    checked_at = clock_timestamp();

-- name: installed_is
select exists (select from portal.installed f where f.name = @name and f.hash = @hash);

-- name: installed_list
select f.name, f.hash from portal.installed f;

-- name: installed_set
insert into portal.installed (name, hash) values (@name, @hash)
on conflict (name) do update set hash = excluded.hash, installed_at = clock_timestamp();
