-- name: proof_run
select portal.prove_prices(@whole);

-- name: audit_seal
select portal.seal_audit();

-- name: proof_runs
select r.run_id as id, r.started_at, r.started_by, coalesce(r.seconds, 0)::float8 as seconds, r.whole, r.since,
  r.order_lines, r.repriced, r.invoice_lines,
  r.documents, r.customers, r.found, r.explained, r.audit_rows, r.audit_hash
from portal.proof_run r
where @run_id::bigint is null or r.run_id = @run_id
order by r.run_id desc
limit 14;

-- name: proof_differences
-- Those that nobody has acknowledged first.
select d.difference_id as id, d.kind, d.subject, d.line_no, coalesce(c.customer_no, '') as customer_no, d.detail,
  d.found_at, d.acknowledged_at,
  coalesce(d.acknowledged_by, '') as acknowledged_by, d.note
from portal.proof_difference d left join erp.customer c using (customer_id)
where d.resolved_at is null and (@acknowledged or d.acknowledged_at is null)
order by d.acknowledged_at is not null, d.found_at desc, d.kind, d.subject, d.line_no
limit @row_limit;

-- name: proof_open
select count(*)::int from portal.proof_difference d where d.resolved_at is null and d.acknowledged_at is null;

-- name: proof_acknowledge
select portal.acknowledge_difference(@difference_id, @note);

-- name: proof_last_whole
-- When everything was looked at last.
select coalesce(max(r.started_at), '-infinity') < clock_timestamp() - interval '7 days' + interval '1 hour'
from portal.proof_run r where r.whole and r.seconds is not null;
