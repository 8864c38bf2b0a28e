-- Orders: which moves are legal, what a move does to the lines, the history,
-- and the news of it. Holds for every program that writes erp.sales_order.

create or replace function erp.sales_order_before() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op <> 'DELETE' then
    new.po_no := nullif(erp.clean_text(new.po_no), '');
  end if;
  if tg_op = 'INSERT' then
    if new.source <> 'IMPORT' and (not erp.is_changeable(new.status)
      or (new.source = 'WEB' and new.status <> 'SUBMITTED')) then
      raise exception 'A new order of source % cannot start as %.', new.source, new.status
        using errcode = 'PT409', constraint = 'order_move', column = 'status';
    end if;
    return new;
  end if;
  if tg_op = 'DELETE' then
    if erp.is_started(old.status)
      or exists (select from erp.sales_order_line l where l.order_id = old.order_id
        and l.qty_picked + l.qty_shipped + l.qty_invoiced > 0)
      or exists (select from erp.shipment s where s.order_id = old.order_id)
      or exists (select from erp.invoice i where i.order_id = old.order_id) then
      raise exception 'Order % has been picked, shipped or invoiced and stays. Cancel what is open of it.', old.order_no
        using errcode = 'PT409', constraint = 'sales_order_stays',
          hint = 'erp.edit_order, or qty_cancelled of its lines.';
    end if;
    insert into erp.order_status_history (order_id, from_status, to_status)
      values (old.order_id, old.status, 'DELETED');
    -- while the order can still say which warehouse its lines' stock is in
    perform set_config('erp.deleting_order', old.order_id::text, true);
    delete from erp.sales_order_line l where l.order_id = old.order_id;
    perform set_config('erp.deleting_order', '', true);
    return old;
  end if;

  if new.customer_id <> old.customer_id or new.order_no <> old.order_no then
    raise exception 'The customer and the number of order % are fixed.', old.order_no
      using errcode = 'PT409', constraint = 'sales_order_identity';
  end if;
  if new.warehouse <> old.warehouse and exists (
    select from erp.sales_order_line l where l.order_id = new.order_id and l.qty_allocated + l.qty_backordered > 0) then
    raise exception 'Order % has open lines in %: its warehouse is fixed.', old.order_no, old.warehouse
      using errcode = 'PT409', constraint = 'sales_order_warehouse', column = 'warehouse';
  end if;
  if new.status <> old.status then
    -- beyond the table: a corrected shipment or line opens an order again
    if not exists (select from erp.order_move m where m.from_status = old.status and m.to_status = new.status)
      and not (erp.is_shipped(old.status) and new.status = 'PICKING' and exists (
        select from erp.sales_order_line l where l.order_id = new.order_id and l.qty_allocated + l.qty_backordered > 0))
      and not (old.status = 'DELIVERED' and new.status = 'SHIPPED' and exists (
        select from erp.shipment s where s.order_id = new.order_id and s.delivered_at is null)) then
      raise exception 'Order % cannot go from % to %.', old.order_no, old.status, new.status
        using errcode = 'PT409', constraint = 'order_move', column = 'status',
          hint = 'The legal moves are in erp.order_move.';
    end if;
    if new.status_reason is not distinct from old.status_reason and new.status <> 'REJECTED' then
      new.status_reason := null;
    end if;
    if new.status = 'PICKING' then
      new.invoiced_at := null; -- opened again: not all of it is invoiced
    end if;
    if new.status = 'SUBMITTED' then
      new.reviewed_at := erp.now();
    end if;
    if erp.is_void(new.status) and exists (
      select from erp.sales_order_line l where l.order_id = new.order_id and l.qty_shipped > 0) then
      raise exception 'Part of order % has shipped: cancel its open quantities instead.', old.order_no
        using errcode = 'PT409', constraint = 'order_part_shipped', column = 'status';
    end if;
    if erp.is_shipped(new.status) and exists (
      select from erp.sales_order_line l where l.order_id = new.order_id and l.qty_backordered > 0) then
      raise exception 'Order % has backordered quantities: ship them or cancel them first.', old.order_no
        using errcode = 'PT409', constraint = 'order_has_backorders', column = 'status';
    end if;
    if new.status = 'DELIVERED' and exists (
      select from erp.sales_order_line l where l.order_id = new.order_id and l.qty_allocated > 0) then
      raise exception 'Part of order % has not shipped yet.', old.order_no
        using errcode = 'PT409', constraint = 'order_has_open_lines', column = 'status';
    end if;
  end if;
  return new;
end
$$;
create or replace trigger sales_order_before
  before insert or delete on erp.sales_order
  for each row execute function erp.sales_order_before();
create or replace trigger sales_order_changing
  before update on erp.sales_order
  for each row when (new.status <> old.status or new.po_no is distinct from old.po_no or new.warehouse <> old.warehouse
    or new.customer_id <> old.customer_id or new.order_no <> old.order_no)
  execute function erp.sales_order_before();

create or replace function erp.sales_order_after() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o record;
  whose bigint[];
  refs text[];
  facts jsonb[];
  moves boolean;
begin
  if tg_op = 'DELETE' then
    -- its pages are gone, and lists do without it
    if (select count(*) from (select from old_rows limit 26) few) > 25 then
      perform portal.emit_documents('order', array_agg(p.customer_id), array_agg(p.order_no)) from old_rows p;
    else
      perform portal.emit_all('order', array_agg(p.customer_id order by p.order_id),
        array_agg(p.order_no order by p.order_id),
        array_agg(jsonb_build_object('status', 'DELETED') order by p.order_id))
      from old_rows p;
    end if;
    return null;
  end if;
  if tg_op = 'INSERT' then
    insert into erp.order_status_history (order_id, from_status, to_status, at, actor, reason)
    select n.order_id, null, n.status, n.submitted_at, n.submitted_by,
      nullif(concat_ws(' ', n.status_reason, nullif(n.delivery_note, '')), '')
    from new_rows n order by n.order_id;
    perform portal.emit_all('order', array_agg(n.customer_id order by n.order_id),
      array_agg(n.order_no order by n.order_id),
      array_agg(jsonb_build_object('status', n.status) order by n.order_id))
    from new_rows n where n.source <> 'IMPORT';
    return null;
  end if;

  -- one look at what a customer sees; most of what programs write is not
  select array_agg(c.customer_id), array_agg(c.order_no), array_agg(jsonb_build_object('status', c.status)),
    bool_or(c.moves)
    into whose, refs, facts, moves
  from (
    select n.order_id, n.customer_id, n.order_no, n.status, n.status <> p.status as moves
    from new_rows n join old_rows p using (order_id)
    where n.status <> p.status
       or (n.po_no, n.ship_to_id, n.requested_date, n.delivery_date, n.note, n.total, n.reviewed_at, n.status_reason)
          is distinct from (p.po_no, p.ship_to_id, p.requested_date, p.delivery_date, p.note, p.total, p.reviewed_at,
            p.status_reason)
    order by n.order_id
  ) c;
  if refs is null then
    return null;
  end if;

  if moves then
    insert into erp.order_status_history (order_id, from_status, to_status, reason)
    select n.order_id, p.status, n.status, n.status_reason
    from new_rows n join old_rows p using (order_id)
    where n.status <> p.status order by n.order_id;

    for o in
      select n.order_id, n.status from new_rows n join old_rows p using (order_id)
      where n.status <> p.status order by n.order_id
    loop
      if erp.is_void(o.status) then
        perform from erp.sales_order_line l where l.order_id = o.order_id order by l.line_no for no key update;
        update erp.sales_order_line l
          set qty_cancelled = l.qty_cancelled + l.qty_allocated + l.qty_backordered,
              qty_allocated = 0, qty_backordered = 0, qty_picked = 0
          where l.order_id = o.order_id and l.qty_allocated + l.qty_backordered > 0;
      elsif o.status = 'SHIPPED' then
        perform erp.ship_rest(o.order_id);
      elsif o.status = 'DELIVERED' then
        update erp.shipment s set delivered_at = greatest(erp.now(), s.shipped_at) where s.order_id = o.order_id
          and s.delivered_at is null;
      elsif erp.is_pickable(o.status) and pg_trigger_depth() = 1 and exists (
        select from erp.sales_order_line l where l.order_id = o.order_id and l.qty_backordered > 0) then
        -- what came in while somebody held the order; inside another trigger
        -- stock may be locked already, out of its order
        perform erp.allocate(array[o.order_id], null);
      end if;
    end loop;
  end if;
  perform portal.emit_all('order', whose, refs, facts);
  return null;
end
$$;

-- The header was set to SHIPPED: what is still allocated has left with it.
create or replace function erp.ship_rest(p_order_id bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  made bigint;
begin
  perform from erp.sales_order_line l where l.order_id = p_order_id order by l.line_no for no key update;
  if exists (select from erp.sales_order_line l where l.order_id = p_order_id and l.qty_allocated > 0) then
    insert into erp.shipment (order_id) values (p_order_id) returning shipment_id into made;
    insert into erp.shipment_line (shipment_id, order_id, line_no, qty)
    select made, l.order_id, l.line_no, l.qty_allocated
    from erp.sales_order_line l where l.order_id = p_order_id and l.qty_allocated > 0 order by l.line_no;
  end if;
end
$$;

create or replace trigger sales_order_inserted
  after insert on erp.sales_order referencing new table as new_rows
  for each statement execute function erp.sales_order_after();
create or replace trigger sales_order_updated
  after update on erp.sales_order referencing old table as old_rows new table as new_rows
  for each statement execute function erp.sales_order_after();
create or replace trigger sales_order_deleted
  after delete on erp.sales_order referencing old table as old_rows
  for each statement execute function erp.sales_order_after();
