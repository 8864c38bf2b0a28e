-- +goose Up
-- What portal.notify_all is handed, one value a piece of news.
create type portal.news as (
  kind text,
  customer_id bigint,
  ref text,
  data jsonb,
  login_id bigint,
  document_id bigint
);
comment on type portal.news is
  'A piece of news: see sql/functions/notify.sql. login_id null: whoever has the right.'
  ' document_id: a portal.document to attach.';

-- +goose Down
drop function if exists portal.notify_all(portal.news[]);
drop type portal.news;
