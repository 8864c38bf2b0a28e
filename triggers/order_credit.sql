-- Credit is asked about when an order is approved and again when it is released
-- to picking, whoever moves it. Submit and the approval job ask before, with
-- erp.order_findings; here is the wall behind them, which plain SQL meets too.
--
--   at           over the limit, by credit_check               account on hold
--   approval     off, warn: passes                              refused
--                queue: passes; who approves has released it
--                block: refused
--   picking      off: passes; warn: passes with an audit row    refused
--                queue, block: refused
--
-- Who approves from a page releases no more than the page showed: the setting
-- portal.shown_over of the transaction is by how much it said the order is over
-- credit (0: not at all).
--
-- "Refused" lasts until somebody releases the credit of the order, with
-- erp.release_credit: up to the exposure of that moment, and not for a hold
-- that was set later. No limit is null; the limit itself passes.
create or replace function erp.sales_order_credit() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  s record;
begin
  if new.credit_released_at is distinct from old.credit_released_at and new.credit_released_at is not null then
    insert into portal.audit (action, customer_id, subject, data)
    values ('credit_release', new.customer_id, new.order_no,
      jsonb_build_object('amount', new.credit_released_amount, 'reason', new.credit_release_reason));
  end if;
  if not (new.status = 'APPROVED' and erp.is_undecided(old.status)
      or new.status = 'PICKING' and old.status = 'APPROVED') then
    return new;
  end if;
  -- Most customers have no limit, and their orders need not wait for one
  -- another. Of the others one at a time, as in submit.
  perform from erp.customer c where c.customer_id = new.customer_id and (c.credit_limit is not null or c.credit_hold)
    for no key update;
  if not found then
    return new;
  end if;
  select * into s from erp.credit_state(new.order_id, new.status, new.credit_released_at, new.credit_released_amount);
  if s.held then
    raise exception 'The account of order % is on credit hold. It goes on when somebody releases its credit with a reason.', new.order_no
      using errcode = 'PT409', constraint = 'credit_hold',
        hint = format('select erp.release_credit(%L, ''why'')', new.order_no);
  elsif s.refused then
    raise exception 'Order % is over credit by %. It goes on when somebody releases its credit with a reason.',
      new.order_no, round(s.over, 2)
      using errcode = 'PT409', constraint = 'credit_blocks',
        detail = format('The exposure is %s, the limit %s%s.', s.exposure, s.credit_limit,
          coalesce(format(', released up to %s by %s', new.credit_released_amount, new.credit_released_by), '')),
        hint = format('select erp.release_credit(%L, ''why'')', new.order_no);
  elsif s.over > 0 and s.credit_check = 'queue' then
    perform erp.check_shown_credit(new.order_no, s.over, false, nullif(current_setting('portal.shown_over', true),
      '')::numeric, null);
    new.credit_released_by := portal.actor();
    new.credit_released_at := erp.now();
    new.credit_released_amount := s.exposure;
    new.credit_release_reason := null;
    insert into portal.audit (action, customer_id, subject, data)
    values ('credit_release', new.customer_id, new.order_no, jsonb_build_object('amount', s.exposure));
  elsif s.over > 0 and new.status = 'PICKING' then
    insert into portal.audit (action, customer_id, subject, data)
    values ('credit_warning', new.customer_id, new.order_no,
      jsonb_build_object('exposure', s.exposure, 'credit_limit', s.credit_limit));
  end if;
  return new;
end
$$;
create or replace trigger sales_order_credit
  before update of status, credit_released_at on erp.sales_order
  for each row execute function erp.sales_order_credit();

-- Since when an account is on hold, so that a release from before is known.
create or replace function erp.customer_credit_hold() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not new.credit_hold then
    new.credit_hold_since := null;
  elsif tg_op = 'INSERT' or not old.credit_hold then
    new.credit_hold_since := erp.now();
  end if;
  return new;
end
$$;
create or replace trigger customer_credit_hold
  before insert or update of credit_hold on erp.customer
  for each row execute function erp.customer_credit_hold();
