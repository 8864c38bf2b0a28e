-- What a list says of an invoice. Who may not see what was paid (p_tell_part
-- false) reads Open of one that is paid in part.
create or replace function erp.invoice_state(p_total numeric, p_open numeric, p_due_date date, p_today date,
  p_tell_part boolean) returns text
language sql immutable parallel safe
as $$
  select case when p_open = 0 then 'PAID' when p_due_date < p_today and p_open > 0 then 'PAST_DUE'
    when p_open <> p_total and p_tell_part then 'PART_PAID' else 'OPEN' end
$$;
grant execute on function erp.invoice_state(numeric, numeric, date, date, boolean) to portal_web, portal_desk,
  portal_work;
