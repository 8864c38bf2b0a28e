-- The queues, and the last nightly check that finished. Done jobs are left
-- out: there are many, and nobody waits for them.
select
  coalesce((
    select jsonb_agg(q order by q.queue)
    from (
      select j.queue,
        count(*) filter (where j.state = 'available') as available,
        count(*) filter (where j.state = 'running') as running,
        count(*) filter (where j.state = 'retryable') as retrying,
        count(*) filter (where j.state = 'discarded') as discarded,
        coalesce(extract(epoch from clock_timestamp() - min(j.scheduled_at) filter (where j.state = 'available')), 0)
          as oldest_seconds
      from river.river_job j
      where j.state in ('available', 'running', 'retryable', 'discarded')
      group by j.queue
    ) q
  ), '[]') as queues,
  checked.finalized_at as checked_at,
  coalesce((checked.result ->> 'count')::int, 0) as violation_count,
  coalesce(checked.result -> 'violations', '[]') as violations
from (values (1)) as one_row
left join lateral (
  select j.finalized_at, j.metadata -> 'output' as result
  from river.river_job j
  where j.kind = 'invariants' and j.state = 'completed'
  order by j.finalized_at desc
  limit 1
) checked on true
