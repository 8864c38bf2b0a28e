-- Four eyes: what staff post from company.four_eyes_amount on has an entry that a second
-- person approved, whichever statement posts it. Looked at when the transaction ends, when
-- a credit memo has its lines and an approval its number.
create or replace function portal.four_eyes_held() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  of_kinds constant text[] := string_to_array(tg_argv[0], ',');
  no constant text := to_jsonb(new) ->> tg_argv[1];
  total constant numeric := portal.entry_amount(of_kinds[1], no);
begin
  if total >= (select co.four_eyes_amount from erp.company co) and not exists (
    select from portal.held_entry e
    where e.doc_no = no and e.kind = any (of_kinds) and e.status = 'APPROVED' and e.customer_id = new.customer_id
      and e.amount >= total) then
    raise exception 'From % on this needs a second person.', (select co.four_eyes_amount from erp.company co)
      using errcode = 'PT403', constraint = 'four_eyes';
  end if;
  return null;
end
$$;
drop trigger if exists payment_four_eyes on erp.payment;
create constraint trigger payment_four_eyes after insert on erp.payment deferrable initially deferred
  for each row when (current_setting('portal.staff_id', true) <> '')
  execute function portal.four_eyes_held('payment', 'payment_no');
drop trigger if exists credit_memo_four_eyes on erp.credit_memo;
create constraint trigger credit_memo_four_eyes after insert on erp.credit_memo deferrable initially deferred
  for each row when (current_setting('portal.staff_id', true) <> '')
  execute function portal.four_eyes_held('credit,return', 'memo_no');
drop trigger if exists sales_order_four_eyes on erp.sales_order;
create constraint trigger sales_order_four_eyes after update on erp.sales_order deferrable initially deferred
  for each row when (current_setting('portal.staff_id', true) <> ''
    and new.credit_released_at is distinct from old.credit_released_at and new.credit_released_at is not null)
  execute function portal.four_eyes_held('release', 'order_no');

-- What waits, and what became of it, is told to open pages of the desk. (In the audit: audit.sql.)
create or replace trigger held_entry_told after insert or update on portal.held_entry
  for each row execute function portal.staff_told();

-- Decided once; what was entered stays as it was.
create or replace function portal.held_entry_stays() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'An entry is decided once, and stays as it was entered.'
    using errcode = 'PT409', constraint = 'entry_decided';
end
$$;
create or replace trigger held_entry_stays before update on portal.held_entry for each row
  when (old.status <> 'WAITING' or new.entry_id <> old.entry_id or new.kind <> old.kind
    or new.customer_id <> old.customer_id
    or new.amount <> old.amount or new.args <> old.args or new.key is distinct from old.key
      or new.entered_by <> old.entered_by
    or new.entered_by_id <> old.entered_by_id or new.entered_at <> old.entered_at)
  execute function portal.held_entry_stays();
create or replace trigger held_entry_kept before delete on portal.held_entry for each row
  when (current_setting('portal.staff_id', true) <> '') execute function portal.held_entry_stays();
