-- What must be there before the first versioned migration: roles, schemas and
-- extensions. Runs at every migrate, so each statement is safe to repeat.
-- Roles belong to the whole cluster, hence the caught duplicate_object where
-- two databases of one cluster are migrated at the same moment.
do $$
declare
  role_name text;
begin
  foreach role_name in array array['portal_owner', 'portal_web', 'portal_desk', 'portal_work'] loop
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
  execute format('grant create on database %I to portal_owner', current_database());
end
$$;

create extension if not exists citext with schema public;
create extension if not exists pg_trgm with schema public;
create extension if not exists btree_gist with schema public;

create schema if not exists erp authorization portal_owner;
create schema if not exists portal authorization portal_owner;
