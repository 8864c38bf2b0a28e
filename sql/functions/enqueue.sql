-- How SQL enqueues jobs: the only place that writes river.river_job. The row, its unique
-- key and the notification are River's formats, and queue and attempts those of
-- jobs/options.go; a test compares both with what River's own client inserts.
--
-- One job for each element of p_args, in the caller's transaction. The text of an element
-- is kept as it is, since the unique key is made of it: write it without blanks.
-- Called by functions that act for the owner; nobody else may.
create or replace function portal.enqueue(p_kind text, p_args json[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  k record;
begin
  select x.* into k
  from (values
    -- kind, queue, attempts, whether the same arguments are one job until it is pruned
    ('order_approval', 'approval', 25, true),
    ('order_settle', 'approval', 25, false),
    ('mail', 'mail', 100, false),
    ('password_reset', 'mail', 5, false),
    ('statement', 'statement', 25, false)
  ) as x(kind, queue, max_attempts, is_unique)
  where x.kind = p_kind;
  if not found then
    raise exception 'There is no kind of job "%" that SQL enqueues: see sql/functions/enqueue.sql.', p_kind
      using errcode = 'invalid_parameter_value';
  end if;
  if coalesce(cardinality(p_args), 0) = 0 then
    return;
  end if;
  insert into river.river_job (kind, args, queue, max_attempts, priority, unique_key, unique_states)
  select p_kind, a.args, k.queue, k.max_attempts, 1,
    case when k.is_unique then sha256(convert_to('&kind=' || p_kind || '&args=' || a.args::text, 'UTF8')) end,
    case when k.is_unique then B'11110101' end
  from unnest(p_args) as a(args)
  on conflict (unique_key)
    where unique_key is not null and unique_states is not null and river.river_job_state_in_bitmask(unique_states,
      state)
    do nothing;
  perform pg_notify('river.river_insert', '{"queue":"' || k.queue || '"}');
end
$$;
