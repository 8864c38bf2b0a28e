-- name: credit_request_list
-- The requests of a customer, the newest first.
select r.request_id, r.request_no, r.status, i.invoice_no, l.lines, l.asked,
  case when l.decided then l.approved end as approved, l.mixed_units, l.lines as part_lines, l.whole_lines, l.reasons,
  (select count(*)::int from portal.request_photo p where p.customer_id = r.customer_id
    and p.request_key = r.request_key) as photos,
  portal.request_memo_no(r.request_id) as memo_no, case when w.see_prices and w.see_balance then m.total end as amount,
    r.requested_at
from erp.credit_request r
join erp.invoice i using (invoice_id)
join erp.web_access w on w.customer_id = r.customer_id
left join erp.credit_memo m on m.credit_memo_id = r.credit_memo_id and r.status = 'CREDITED'
cross join lateral (
  select count(*)::int as lines, coalesce(sum(x.qty), 0) as asked, coalesce(sum(x.qty_approved), 0) as approved,
    coalesce(min(il.uom) <> max(il.uom), false) as mixed_units, (count(*) filter (where x.qty_approved >= x.qty))::int
      as whole_lines,
    coalesce(bool_and(x.qty_approved is not null), false) as decided,
    coalesce(array_agg(distinct s.name), '{}') as reasons
  from erp.credit_request_line x
  join erp.credit_reason s using (reason_code)
  join erp.invoice_line il on il.invoice_id = x.invoice_id and il.line_no = x.invoice_line_no
  where x.request_id = r.request_id
) l
where r.customer_id = @customer_id
  and (@status = '' or r.status = @status
       or (@status = 'open' and r.status in ('REQUESTED', 'IN_REVIEW', 'APPROVED', 'AWAITING_GOODS')))
  and (@query = '' or r.request_no ilike '%' || @pattern || '%' or i.invoice_no ilike '%' || @pattern || '%')
  and (@invoice_no = '' or i.invoice_no = @invoice_no)
  and (@before_at::timestamptz is null or (r.requested_at, r.request_id) < (@before_at::timestamptz,
    @before_id::bigint))
order by r.requested_at desc, r.request_id desc
limit @row_limit;

-- name: credit_request_head
select r.request_id, r.request_no, r.status, i.invoice_no, l.lines, l.asked,
  case when l.decided then l.approved end as approved, l.mixed_units, l.lines as part_lines, l.whole_lines, l.reasons, 0
    as photos,
  portal.request_memo_no(r.request_id) as memo_no, case when @staff or w.see_prices and w.see_balance then m.total
    end as amount, r.requested_at,
  r.status_reason, r.note, r.requested_by, l.goods_return, r.goods_received_at
from erp.credit_request r
join erp.invoice i using (invoice_id)
left join erp.web_access w on w.customer_id = r.customer_id
left join erp.credit_memo m on m.credit_memo_id = r.credit_memo_id and r.status = 'CREDITED'
cross join lateral (
  select count(*)::int as lines, coalesce(sum(x.qty), 0) as asked, coalesce(sum(x.qty_approved), 0) as approved,
    coalesce(min(il.uom) <> max(il.uom), false) as mixed_units, (count(*) filter (where x.qty_approved >= x.qty))::int
      as whole_lines,
    coalesce(bool_and(x.qty_approved is not null), false) as decided,
    coalesce(array_agg(distinct s.name), '{}') as reasons,
    coalesce(bool_or(s.goods_return and coalesce(x.qty_approved, x.qty) > 0), false) as goods_return
  from erp.credit_request_line x
  join erp.credit_reason s using (reason_code)
  join erp.invoice_line il on il.invoice_id = x.invoice_id and il.line_no = x.invoice_line_no
  where x.request_id = r.request_id
) l
where r.request_no = @request_no and (@staff or r.customer_id = @customer_id);

-- name: credit_request_lines
-- A price where prices are shown; what it comes to is the memo's.
select x.line_no, x.invoice_line_no, t.item_no, il.description, il.uom, x.qty, x.qty_approved as approved,
  x.qty_received as received,
  least(c.qty, x.qty_approved) as credited, x.reason_code, s.name as reason, s.goods_return, x.note, x.decision_note,
  case when @staff or w.see_prices then il.unit_price end as unit_price
from erp.credit_request_line x
join erp.credit_request r using (request_id)
join erp.invoice_line il on il.invoice_id = x.invoice_id and il.line_no = x.invoice_line_no
join erp.credit_reason s using (reason_code)
left join erp.item t using (item_id)
left join erp.web_access w on w.customer_id = r.customer_id
left join portal.request_credited(@request_id) c on c.invoice_line_no = x.invoice_line_no
where x.request_id = @request_id
order by x.line_no;

-- name: credit_request_history
select h.from_status as "from", h.to_status as "to", h.at, h.actor, h.by_customer, h.reason
from erp.credit_request_history h where h.request_id = @request_id order by h.history_id;

-- name: credit_request_photos
select p.photo_id, p.name, p.width, p.height, octet_length(p.data) as bytes, p.added_at
from portal.request_photo p join erp.credit_request r using (customer_id, request_key)
where r.request_id = @request_id order by p.photo_id;

-- name: draft_photos
select p.photo_id, p.name, p.width, p.height, octet_length(p.data) as bytes, p.added_at
from portal.request_photo p
where p.customer_id = @customer_id and p.request_key = @key::uuid order by p.photo_id;

-- name: request_photo
select p.name, p.media_type, p.width, p.height, p.data
from portal.request_photo p join erp.credit_request r using (customer_id, request_key)
where r.request_no = @request_no and (@staff or r.customer_id = @customer_id) and p.photo_id = @photo_id;

-- name: draft_photo
select p.name, p.media_type, p.width, p.height, p.data
from portal.request_photo p
where p.customer_id = @customer_id and p.login_id is not distinct from @login_id and p.photo_id = @photo_id
  and not exists (select from erp.credit_request r where r.customer_id = p.customer_id
    and r.request_key = p.request_key);

-- name: request_key
select r.request_key::text from erp.credit_request r where r.request_no = @request_no and r.customer_id = @customer_id;

-- name: request_photo_add
select portal.add_request_photo(@customer_id, @key::uuid, @name, @media_type, @width, @height, @data);

-- name: request_photos_drop
select portal.drop_request_photos(@customer_id, @key::uuid, @photo_ids::bigint[]);

-- name: return_form
select i.invoice_no, i.invoice_date, i.kind <> 'invoice' as adjustment
from erp.invoice i where i.invoice_no = @invoice_no and i.customer_id = @customer_id;

-- name: return_form_lines
select l.line_no, t.item_no, l.description, l.uom, l.qty, r.credited, r.pending, r.room as left, case when w.see_prices
  then l.unit_price end as unit_price
from erp.invoice i
join erp.web_access w using (customer_id)
join erp.invoice_line l using (invoice_id)
join portal.returnable(@customer_id, @invoice_no) r using (line_no)
left join erp.item t using (item_id)
where i.invoice_no = @invoice_no and i.customer_id = @customer_id and l.qty > 0
order by l.line_no;

-- name: return_reasons
select r.reason_code, r.name, r.goods_return, r.needs_text, r.until, r.late
from portal.return_reasons(@customer_id, @invoice_no) r order by r.sort, r.reason_code;

-- name: return_request
select r.request_no, r.repeated, r.findings
from portal.request_return(@customer_id, @key::uuid, @invoice_no, @line_nos::int[], @qtys::text[]::numeric[],
  @reasons::text[], @notes::text[], @note) r;

-- name: request_withdraw
select portal.withdraw_request(@customer_id, @request_no);

-- name: invoice_returned
select r.line_no, r.invoiced, r.credited, r.pending, r.room as left from portal.returnable(@customer_id, @invoice_no) r
  order by r.line_no;

-- name: credit_memo_head
-- Nothing of it where the balance is hidden, by row-level security as well.
select m.memo_no, m.memo_date, m.reason, i.invoice_no, r.request_no,
  case when w.see_prices then m.total end as total, case when w.see_prices then m.open_amount end as open_amount,
  c.customer_no, c.name as customer
from erp.credit_memo m
join erp.customer c using (customer_id)
join erp.web_access w using (customer_id)
left join erp.invoice i using (invoice_id)
left join erp.credit_request r on r.credit_memo_id = m.credit_memo_id
where m.memo_no = @memo_no and m.customer_id = @customer_id and w.see_balance and portal.may('account');

-- name: credit_memo_lines
select l.line_no, t.item_no, i.invoice_no, l.description, l.uom, l.qty,
  case when w.see_prices then l.unit_price end as unit_price, case when w.see_prices then l.line_total end as line_total
from erp.credit_memo m
join erp.web_access w using (customer_id)
join erp.credit_memo_line l using (credit_memo_id)
left join erp.item t using (item_id)
left join erp.invoice i on i.invoice_id = l.invoice_id
where m.memo_no = @memo_no and m.customer_id = @customer_id
order by l.line_no;

-- name: credit_memo_applied
select i.invoice_no, a.applied_on, case when w.see_prices then a.amount end as amount
from erp.credit_memo m
join erp.web_access w using (customer_id)
join erp.payment_application a using (credit_memo_id)
join erp.invoice i on i.invoice_id = a.invoice_id
where m.memo_no = @memo_no and m.customer_id = @customer_id
order by a.applied_on, a.application_id;

-- name: desk_credit_request_list
select r.request_id, r.request_no, r.status, i.invoice_no, l.lines, l.asked,
  case when l.decided then l.approved end as approved, l.mixed_units, l.lines as part_lines, l.whole_lines, l.reasons,
  (select count(*)::int from portal.request_photo p where p.customer_id = r.customer_id
    and p.request_key = r.request_key) as photos,
  portal.request_memo_no(r.request_id) as memo_no, m.total as amount, r.requested_at, c.customer_no, c.name
    as customer_name,
  coalesce(m.total, l.value) as value
from erp.credit_request r
join erp.invoice i using (invoice_id)
join erp.customer c on c.customer_id = r.customer_id
left join erp.credit_memo m on m.credit_memo_id = r.credit_memo_id and r.status = 'CREDITED'
cross join lateral (
  select count(*)::int as lines, coalesce(sum(x.qty), 0) as asked, coalesce(sum(x.qty_approved), 0) as approved,
    coalesce(min(il.uom) <> max(il.uom), false) as mixed_units, (count(*) filter (where x.qty_approved >= x.qty))::int
      as whole_lines,
    coalesce(bool_and(x.qty_approved is not null), false) as decided,
    coalesce(array_agg(distinct s.name), '{}') as reasons,
    coalesce(sum(round(coalesce(x.qty_approved, x.qty) * il.unit_price, 2)), 0) as value
  from erp.credit_request_line x
  join erp.credit_reason s using (reason_code)
  join erp.invoice_line il on il.invoice_id = x.invoice_id and il.line_no = x.invoice_line_no
  where x.request_id = r.request_id
) l
where (@status = 'all' or r.status = @status
       or (@status = 'open' and r.status in ('REQUESTED', 'IN_REVIEW', 'APPROVED', 'AWAITING_GOODS')))
  and (@query = '' or r.request_no ilike '%' || @pattern || '%' or i.invoice_no ilike @pattern || '%'
       or r.customer_id in (select k.customer_id from erp.customer k
            where k.customer_no ilike @pattern || '%' or k.name ilike '%' || @pattern || '%'))
  and (@before_at::timestamptz is null
       or @status = 'open' and (r.requested_at, r.request_id) > (@before_at::timestamptz, @before_id::bigint)
       or @status <> 'open' and (r.requested_at, r.request_id) < (@before_at::timestamptz, @before_id::bigint))
order by case when @status = 'open' then r.requested_at end, case when @status = 'open' then r.request_id end,
  r.requested_at desc, r.request_id desc
limit @row_limit;

-- name: desk_credit_request_counts
select r.status, count(*)::int as requests
from erp.credit_request r where r.status in ('REQUESTED', 'IN_REVIEW', 'APPROVED', 'AWAITING_GOODS') group by 1;

-- name: desk_credit_request_more
select c.customer_no, c.name as customer_name, i.invoice_date, i.open_amount as invoice_open, coalesce(a.balance, 0)
  as balance,
  erp.credit_exposure(c.customer_id) as exposure, c.credit_limit,
  (select count(*)::int from erp.credit_request o
    where o.customer_id = r.customer_id and o.request_id <> r.request_id
      and o.requested_at > r.requested_at - interval '1 year') as last_year,
  (select coalesce(sum(round(coalesce(x.qty_approved, x.qty) * il.unit_price, 2)), 0)
    from erp.credit_request_line x join erp.invoice_line il on il.invoice_id = x.invoice_id
      and il.line_no = x.invoice_line_no
    where x.request_id = r.request_id) as value,
  array(select m.to_status from erp.credit_request_move m
    where m.from_status = r.status and m.to_status <> 'WITHDRAWN'
      and not (r.goods_received_at is not null and m.to_status <> 'CREDITED')
      and not (r.status = 'AWAITING_GOODS' and r.goods_received_at is null and m.to_status = 'CREDITED')
    order by m.to_status) as moves
from erp.credit_request r
join erp.customer c using (customer_id)
join erp.invoice i using (invoice_id)
left join lateral erp.aging(c.customer_id) a on true
where r.request_no = @request_no;

-- name: desk_credit_request_rooms
select r.line_no, r.invoiced, r.credited, r.pending, r.room as left
from (
  select array_agg(x.invoice_id) as invoice_ids, array_agg(x.invoice_line_no) as line_nos
  from erp.credit_request_line x join erp.credit_request q using (request_id) where q.request_no = @request_no
) k
cross join lateral erp.return_room(k.invoice_ids, k.line_nos) r
order by r.line_no;

-- name: desk_request_status
select r.status from erp.credit_request r where r.request_no = @request_no for update;

-- name: desk_request_lines_hold
select from erp.credit_request_line l join erp.credit_request r using (request_id) where r.request_no = @request_no
order by l.line_no for update of l;

-- name: desk_request_review
select erp.review_request(@request_no);

-- name: desk_request_decide
select erp.decide_request(@request_no, @line_nos::int[], @qtys::text[]::numeric[], @notes::text[], @reason);

-- name: desk_request_reject
select erp.reject_request(@request_no, @reason);

-- name: desk_request_receive
select erp.receive_request_goods(@request_no, @line_nos::int[], @qtys::text[]::numeric[], @restock::int[]);
