-- What must be there before the first versioned migration: roles, schemas and
-- extensions. Runs at every migrate, so each statement is safe to repeat.
-- Roles belong to the whole cluster, hence the caught duplicate_object where
-- two databases of one cluster are migrated at the same moment.
do $$
declare
  role_name text;
begin
  foreach role_name in array array['portal_owner', 'portal_web', 'portal_desk', 'portal_work', 'portal_auth'] loop
    if not exists (select from pg_roles where rolname = role_name) then
      begin
        execute format('create role %I nologin', role_name);
      exception when duplicate_object or unique_violation then
        null;
      end;
    end if;
    if not pg_has_role(current_user, role_name, 'member') then
      execute format('grant %I to current_user', role_name);
    end if;
  end loop;
  -- so that a log-in that was made before there was portal_auth may become it, too
  if not pg_has_role('portal_work', 'portal_auth', 'member') then
    grant portal_auth to portal_work;
  end if;
  if not has_database_privilege('portal_owner', current_database(), 'create') then
    execute format('grant create on database %I to portal_owner', current_database());
  end if;
end
$$;

-- Temporary objects are for who needs them: what a session makes there is found
-- by names, and must not be found by functions that act for their owner.
do $$
begin
  if exists (select from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
    where d.datname = current_database() and a.privilege_type = 'TEMPORARY'
      and a.grantee in (0, 'portal_web'::regrole, 'portal_work'::regrole, 'portal_auth'::regrole)) then
    execute format('revoke temporary on database %I from public, portal_web, portal_work, portal_auth',
      current_database());
  end if;
  if not (has_database_privilege('portal_owner', current_database(), 'temporary')
    and has_database_privilege('portal_desk', current_database(), 'temporary')) then
    execute format('grant temporary on database %I to portal_owner, portal_desk', current_database());
  end if;
  if has_schema_privilege('public', 'public', 'create') then
    revoke create on schema public from public; -- a warning where that is not ours to do; the comparison says so
  end if;
exception when insufficient_privilege then
  raise warning 'rights on the database stay as they are: %', sqlerrm;
end
$$;

create extension if not exists citext with schema public;
create extension if not exists pg_trgm with schema public;
create extension if not exists btree_gist with schema public;

create schema if not exists erp authorization portal_owner;
create schema if not exists portal authorization portal_owner;
