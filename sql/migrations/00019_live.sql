-- +goose Up
-- Live at full strength: who wants to be notified, and what a position is worth
-- after a crash. Both tables are unlogged: a crash empties them, which is what
-- they are to tell.

create unlogged table portal.event_node (
  node_id integer generated always as identity primary key,
  name text not null,
  source text not null default 'notify',
  pid integer not null default pg_backend_pid(),
  wants_notify boolean not null,
  seen_at timestamptz not null default clock_timestamp()
);
comment on table portal.event_node is
  'The portal''s nodes that hear the event log. Triggers notify only while one of them wants it: one that is awake reads the log every few milliseconds instead.';
comment on column portal.event_node.pid is 'The backend that listens. A row whose backend is gone is removed by any node.';

create unlogged table portal.event_epoch (
  only_row boolean primary key default true,
  epoch text not null default substr(md5(gen_random_uuid()::text), 1, 8),
  constraint event_epoch_only_row check (only_row)
);
comment on table portal.event_epoch is
  'Part of every position: after a crash or a failover transaction numbers that nobody saved are given again, and a position from before is worth nothing.';

create sequence portal.event_missed;
comment on sequence portal.event_missed is
  'Counts transactions that could not write their events. Not part of them: a node that was away when one was announced sees that it has moved.';

grant select on sequence portal.event_missed to portal_work;
grant select, insert, update, delete on portal.event_node, portal.event_epoch to portal_work;
grant select on portal.event_epoch to portal_web, portal_desk;

-- The log is read by transaction, and pruned from its oldest end, where time and
-- place on disk go together.
drop index portal.event_at;
create index event_at on portal.event using brin (at) with (pages_per_range = 16, autosummarize = on);

-- +goose Down
drop index portal.event_at;
create index event_at on portal.event (at);
drop sequence portal.event_missed;
drop table portal.event_epoch, portal.event_node;
