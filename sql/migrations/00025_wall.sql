-- +goose Up
-- What the wall must be, as the last portal migrate left it here: a server of
-- the version before or after compares with this, and not with its own.

create table portal.wall (
  only_row boolean primary key default true,
  version text not null,
  manifest text not null,
  written jsonb not null default '{}',
  checked_at timestamptz not null default clock_timestamp(),
  constraint wall_only_row check (only_row)
);
comment on table portal.wall is
  'What rights, policies, functions and triggers must be here, as the portal wrote it that migrated last. Nothing of a customer is in it; only the portal''s own roles read it.';
comment on column portal.wall.version is 'SHA-256 of the manifest.';
comment on column portal.wall.manifest is 'One JSON array a line: kind, name, object, definition, and the statement that makes it where no file has it.';
comment on column portal.wall.written is 'Where this server''s version of PostgreSQL writes a definition in other words than the manifest: object to text.';
grant select on portal.wall to portal_work;

-- +goose Down
drop table portal.wall;
