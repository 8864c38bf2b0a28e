-- When an order is planned to arrive, whichever program inserts it: a program
-- that gives the date is believed. Where a strict cutoff moves the order to
-- another day than was asked for, or past a run that it is too late for, the
-- order says so, and its history with it.
create or replace function erp.sales_order_delivery() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  d record;
  moves boolean; -- a strict cutoff
begin
  if tg_op = 'UPDATE' then
    if new.delivery_date is distinct from old.delivery_date then
      if new.delivery_note = old.delivery_note then
        new.delivery_note := ''; -- it spoke of the former date
      end if;
      return new;
    end if;
    -- another day or address was asked for while nothing has been prepared
    if not erp.is_undecided(new.status) or new.source = 'IMPORT'
      or (new.requested_date, new.ship_to_id) is not distinct from (old.requested_date, old.ship_to_id) then
      return new;
    end if;
    new.delivery_date := null;
    new.delivery_note := '';
  elsif new.source = 'IMPORT' or new.delivery_date is not null then
    return new;
  end if;

  select * into d from erp.planned_delivery(new.customer_id, new.ship_to_id, new.requested_date,
    case when tg_op = 'INSERT' then new.submitted_at else erp.now() end);
  if not found then
    return new;
  end if;
  new.delivery_date := d.delivery_date;
  select w.cutoff_mode = 'strict' into moves from erp.web_access w where w.customer_id = new.customer_id;
  if moves and d.missed is not null then
    new.delivery_note := format('Too late for %s: delivery moved to %s.', erp.day_text(d.missed),
      erp.day_text(d.delivery_date));
  elsif moves and new.requested_date <> d.delivery_date then
    new.delivery_note := format('No delivery on %s: moved to the next run, %s.', erp.day_text(new.requested_date),
      erp.day_text(d.delivery_date));
  end if;
  return new;
end
$$;
create or replace trigger sales_order_delivery
  before insert or update of requested_date, ship_to_id, delivery_date on erp.sales_order
  for each row execute function erp.sales_order_delivery();
