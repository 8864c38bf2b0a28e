-- What people do, in the audit log. Whatever is no change of a row comes in through portal.add_act: the triggers of
-- sessions and factors call it, and portal.record_act for the program.

-- One row of the log. Functions and triggers only: who calls says who did it.
create or replace function portal.add_act(p_kind text, p_actor text, p_customer_id bigint, p_subject text, p_data jsonb,
  p_source text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into portal.audit (actor, action, customer_id, subject, data, source)
  values (p_actor, p_kind, p_customer_id, coalesce(p_subject, ''), coalesce(jsonb_strip_nulls(p_data), '{}'),
    nullif(p_source, ''));
end
$$;

-- What the session's owner does: an export, a print, a mail that an operator reads. Who, and as which customer, is
-- read from the session; only of what staff do may the customer be given. A process that serves only customers records
-- nothing of staff. PT401 once the session is over, PT404 for a kind that is not the program's to record.
create or replace function portal.record_act(p_session_id bigint, p_kind text, p_customer_no text, p_subject text,
  p_data jsonb, p_source text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  who record;
  kind portal.act_kind;
begin
  select * into kind from portal.act_kind k where k.code = p_kind and k.by_program;
  if not found then
    raise exception 'There is no act %.', p_kind using errcode = 'PT404', constraint = 'act_kind';
  end if;
  select coalesce(s.acting_for, l.customer_id) as customer_id, l.staff_role is not null and s.acting_for is null
    as at_desk,
      l.email::text || coalesce(' for ' || c.customer_no, '') as actor, s.acting
    into who
    from portal.session s join portal.login l using (login_id) left join erp.customer c on c.customer_id = s.acting_for
    where s.session_id = p_session_id and not (l.staff_role is not null and portal.staff_elsewhere());
  if not found then
    raise exception 'Please log in.' using errcode = 'PT401', constraint = 'session_over';
  end if;
  if who.at_desk then
    who.customer_id := (select c.customer_id from erp.customer c where c.customer_no = p_customer_no);
  end if;
  if kind.quiet is not null and exists (select from portal.audit a
      where a.actor = who.actor and a.at > clock_timestamp() - kind.quiet and a.action = p_kind
        and a.subject = p_subject) then
    return;
  end if;
  perform portal.add_act(p_kind, who.actor, who.customer_id, p_subject, p_data || jsonb_build_object('acting',
    who.acting), p_source);
end
$$;
grant execute on function portal.record_act(bigint, text, text, text, jsonb, text) to portal_auth;

-- Writes the wrong passwords of minutes that are over into the log: a row for each log-in and address and minute, and
-- one for all e-mails of an address that nobody logs in with. Of a flood from very many addresses the 200 most
-- frequent of a minute have rows, and one row counts the rest. Returns how many rows.
create or replace function portal.tell_login_failures(p_older interval default interval '2 minutes') returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  most constant int := 200;
  n int;
begin
  with over as materialized (
    select f.minute, f.login_id, f.source from portal.login_failure f where f.minute <= clock_timestamp() - p_older
      for update skip locked
  ), gone as (
    delete from portal.login_failure f using over o
      where f.minute = o.minute and f.login_id = o.login_id and f.source = o.source
      returning f.*
  ), ranked as (
    select g.*, row_number() over (partition by g.minute order by g.tries + g.refused desc, g.login_id, g.source)
      as rank
    from gone g where g.tries + g.refused > 0
  ), told as (
    select r.last_at, coalesce(l.email::text, '') as email, l.customer_id, r.source,
      jsonb_build_object('tries', r.tries + r.refused, 'refused', nullif(r.refused, 0), 'unknown', case
        when l.login_id is null then true end) as data
    from ranked r left join portal.login l using (login_id) where r.rank <= most
    union all
    select max(r.last_at), '', null, null,
      jsonb_build_object('tries', sum(r.tries + r.refused), 'refused', nullif(sum(r.refused), 0), 'sources',
        count(distinct r.source))
    from ranked r where r.rank > most group by r.minute
  )
  insert into portal.audit (at, actor, action, customer_id, subject, data, source)
  select t.last_at, coalesce(nullif(t.email, ''), 'unknown'), 'login_failed', t.customer_id, t.email,
    jsonb_strip_nulls(t.data), t.source
  from told t order by t.last_at;
  get diagnostics n = row_count;
  return n;
end
$$;
grant execute on function portal.tell_login_failures(interval) to portal_work;

-- A page of the log, the newest first, at most p_limit rows that lie before (p_before_at, p_before_id). Null narrows
-- nothing. p_person is who did it, or whose log-in it was done to; p_subject a number, name or e-mail in full; p_codes
-- are kinds; p_to is no part of it. Each way in has an index that ends with the time, so no page reads more than it
-- shows.
create or replace function portal.audit_page(p_customer_id bigint, p_person text, p_subject text, p_codes text[],
  p_from timestamptz, p_to timestamptz, p_before_at timestamptz, p_before_id bigint, p_limit int)
    returns setof portal.audit
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan
  set jit = off
as $$
declare
  since constant timestamptz := coalesce(p_from, '-infinity');
  until constant timestamptz := least(coalesce(p_to - interval '1 microsecond', 'infinity'),
    coalesce(p_before_at, 'infinity'));
  before_at constant timestamptz := coalesce(p_before_at, 'infinity');
  before_id constant bigint := coalesce(p_before_id, 9223372036854775807);
  code text;
  ids bigint[] := '{}';
begin
  if p_person is not null then
    return query
    select * from (
      (select a.* from portal.audit a
        where a.actor = p_person and a.at >= since and a.at <= until and (a.at, a.audit_id) < (before_at, before_id)
          and (p_customer_id is null or a.customer_id = p_customer_id) and (p_subject is null or a.subject = p_subject)
          and (p_codes is null or a.action = any (p_codes))
        order by a.at desc, a.audit_id desc limit p_limit)
      union
      (select a.* from portal.audit a
        where a.subject = p_person and a.subject <> '' and a.at >= since and a.at <= until
          and (a.at, a.audit_id) < (before_at, before_id)
          and (p_customer_id is null or a.customer_id = p_customer_id) and (p_subject is null or a.subject = p_subject)
          and (p_codes is null or a.action = any (p_codes))
        order by a.at desc, a.audit_id desc limit p_limit)
    ) x order by x.at desc, x.audit_id desc limit p_limit;
  elsif p_codes is not null and p_customer_id is null and p_subject is null then
    -- each kind by itself: how rare it is decides how it is found
    foreach code in array p_codes loop
      ids := ids || array(
        select x.audit_id from portal.audit x
        where x.action = code and x.at >= since and x.at <= until and (x.at, x.audit_id) < (before_at, before_id)
        order by x.at desc, x.audit_id desc limit p_limit);
    end loop;
    return query select a.* from portal.audit a where a.audit_id = any (ids) order by a.at desc, a.audit_id desc
      limit p_limit;
  else
    return query
    select a.* from portal.audit a
    where a.at >= since and a.at <= until and (a.at, a.audit_id) < (before_at, before_id)
      and (p_customer_id is null or a.customer_id = p_customer_id)
      and (p_subject is null or a.subject = p_subject and a.subject <> '')
      and (p_codes is null or a.action = any (p_codes))
    order by a.at desc, a.audit_id desc limit p_limit;
  end if;
end
$$;
grant execute on function portal.audit_page(bigint, text, text, text[], timestamptz, timestamptz, timestamptz, bigint,
  int) to portal_desk;
