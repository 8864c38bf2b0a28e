package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"strings"

	"github.com/jackc/pgx/v5"
)

// aReturn is a request to return goods of one of a customer's latest invoices,
// and how far it has come.
type aReturn struct {
	customer     string
	invoice      int // how many invoices back
	qty          int
	reason, note string
	days         int // ago
	photo        bool
	steps        []string // statements; $no stands for the request's number
}

// returns are requests in every state, those of the customer whose log-in is
// printed first.
var returns = []aReturn{
	{"C1003", 0, 2, "damaged", "Two cartons were crushed, the bottles inside leak.", 0, true, nil},
	{"C1003", 1, 1, "short_dated", "Best before is next week.", 1, false, []string{"select erp.review_request('$no')"}},
	{"C1003", 2, 2, "defective", "Lids do not close.", 4, true,
		[]string{"select erp.review_request('$no')", "select erp.decide_request('$no', null, null)"}},
	{"C1003", 3, 2, "damaged", "", 9, false,
		[]string{"select erp.review_request('$no')",
			"select erp.decide_request('$no', array[1], array[1], array['One was sold, our driver saw it'])",
			"select erp.issue_request_memo('$no')"}},
	{"C1003", 4, 1, "ordered_wrong", "", 12, false,
		[]string{"select erp.reject_request('$no', 'It was cut to your order and cannot be sold again')"}},
	{"C1001", 0, 1, "wrong_item", "We got the large ones.", 0, true, nil},
	{"C1002", 0, 2, "short_shipped", "", 2, false, []string{"select erp.review_request('$no')"}},
	{"C1004", 1, 1, "recall", "", 3, false,
		[]string{"select erp.decide_request('$no', null, null)", "select erp.receive_request_goods('$no')"}},
	{"C1005", 0, 1, "other", "The pallet smells of diesel.", 1, true, nil},
}

// writeReturns makes the requests by the functions that the desk uses.
func (w *world) writeReturns(ctx context.Context) error {
	for i, r := range returns {
		var requestID int64
		var no string
		err := w.tx.QueryRow(ctx, `
			with line as (
				select i.customer_id, i.invoice_id, l.line_no, l.qty
				from erp.customer c join erp.invoice i using (customer_id)
				cross join lateral (select x.line_no, x.qty from erp.invoice_line x where x.invoice_id = i.invoice_id
				and x.qty >= $3::int and x.qty = trunc(x.qty) order by x.line_no limit 1) l
				where c.customer_no = $1 and i.kind = 'invoice' and i.invoice_date <= erp.today() - $5::int
				order by i.invoice_date desc, i.invoice_id desc offset $2 limit 1
			), r as (
				insert into erp.credit_request (customer_id, invoice_id, note, requested_at, requested_by)
				select customer_id, invoice_id, case when $7 <> '' and $4 <> 'other' then $7 else '' end,
					erp.now() - make_interval(days => $5::int, hours => 2), $6 from line
				returning request_id, request_no
			), l as (
				insert into erp.credit_request_line (request_id, line_no, invoice_id, invoice_line_no, qty, reason_code, note)
				select r.request_id, 1, line.invoice_id, line.line_no, $3::int, $4, case when $4 = 'other' then $7 else '' end
					from r, line
			)
			select request_id, request_no from r`,
			r.customer, r.invoice, r.qty, r.reason, r.days, "buyer@"+strings.ToLower(r.customer)+".example",
			r.note).Scan(&requestID, &no)
		if errors.Is(err, pgx.ErrNoRows) {
			continue // this number's distributor has no such invoice
		}
		if err != nil {
			return fmt.Errorf("return of %s: %w", r.customer, err)
		}
		if r.photo {
			picture := crate(uint8(40 * i))
			if _, err := w.tx.Exec(ctx,
				`insert into portal.request_photo (customer_id, request_key, name, media_type, width, height, data)
				select customer_id, request_key, 'carton.jpg', 'image/jpeg', 640, 480, $2 from erp.credit_request
					where request_id = $1`, requestID, picture); err != nil {
				return fmt.Errorf("photo: %w", err)
			}
		}
		if _, err := w.tx.Exec(ctx, "select set_config('portal.actor', 'Dana at the desk', true)"); err != nil {
			return err
		}
		for _, step := range r.steps {
			if _, err := w.tx.Exec(ctx, strings.ReplaceAll(step, "$no", no)); err != nil {
				return fmt.Errorf("%s of %s: %w", no, r.customer, err)
			}
		}
		// what happened since happened over the days since
		if _, err := w.tx.Exec(ctx, `update erp.credit_request_history h
			set by_customer = h.from_status is null,
			at = r.requested_at + (erp.now() - r.requested_at) * (n.ord - 1) / (n.steps + 1)
			from erp.credit_request r, (select history_id, row_number() over (order by history_id) as ord,
			count(*) over () as steps
				from erp.credit_request_history where request_id = $1) n
			where r.request_id = h.request_id and h.history_id = n.history_id`, requestID); err != nil {
			return fmt.Errorf("history: %w", err)
		}
	}
	return nil
}

// crate is a photo of a crushed carton, as far as a program can take one.
func crate(shade uint8) []byte {
	m := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			c := color.RGBA{210 - uint8(y/6), 214 - uint8(y/6), 218 - uint8(y/6), 255} // a wall, and the floor below it
			dent := 0
			if x > 300 && x < 460 {
				dent = 60 - max(x-380, 380-x)*3/4
			}
			switch {
			case x > 140 && x < 500 && y > 150+dent && y < 400:
				c = color.RGBA{176 - uint8(x/16), 132 - uint8(x/20), 84 - uint8(x/32), 255}
				if y < 162+dent || x > 310 && x < 330 {
					c = color.RGBA{206, 186, 140, 255} // tape
				}
			case y >= 400 && x > 330 && x < 560-(y-400):
				c = color.RGBA{150, 140 + shade/8, 60, 255} // what ran out
			}
			m.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, m, &jpeg.Options{Quality: 80}) // a buffer does not fail
	return b.Bytes()
}
