package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// outcomeSite has routes, a Monday noon before the cutoff for Tuesday, and one
// line in the buyer's cart.
func outcomeSite(t *testing.T) (*site, *visitor) {
	t.Helper()
	s := newSite(t)
	pgtest.Exec(t, s.db, northRoute+"select erp.set_clock('2026-06-08 12:00-04')")
	v := s.buyer("C1003")
	v.post("/cart/lines", "item_no", "OIL5", "qty", "2")
	return s, v
}

// asBefore makes what a case has changed what outcomeSite made of it.
const asBefore = `
delete from erp.sales_order; delete from portal.sign_off;
update erp.customer set route_id = 1, credit_hold = false, credit_limit = null;
update erp.web_access set auto_approve = true, credit_check = 'queue', many_logins = false, see_stock = 'number';
update portal.login set sign_off_all = false where sign_off_all;
update erp.stock set on_hand = 100; update erp.ship_to set city = 'Portland';
update erp.route set cutoff_days_before = 1, cutoff_time = '15:00';
delete from erp.route_day; insert into erp.route_day (route_id, weekday) values (1, 2), (1, 5);
select erp.set_clock('2026-06-08 12:00-04');`

// What the cart said would become of the order is compared when it is sent: a
// change for the worse, and any other day, comes back as a question that names
// the difference, and the button of that question confirms it.
func TestConfirmOutcome(t *testing.T) {
	t.Parallel()
	s, v := outcomeSite(t)
	for _, c := range []struct{ name, before, change, said, became string }{
		{"the cutoff passes", "", "select erp.set_clock('2026-06-08 15:00-04')",
			"Delivery was Tue 9 Jun 2026, is now Fri 12 Jun 2026.", "approve"},
		{"the route changes", "", "update erp.route_day set weekday = 4 where weekday = 2",
			"Delivery was Tue 9 Jun 2026, is now Thu 11 Jun 2026.", "approve"},
		{"an earlier day", "",
			"update erp.route set cutoff_days_before = 0; insert into erp.route_day (route_id, weekday) values (1, 1)",
			"Delivery was Tue 9 Jun 2026, is now Mon 8 Jun 2026.", "approve"},
		{"the route is gone", "", "update erp.customer set route_id = null",
			"Delivery was Tue 9 Jun 2026, now no day is named.", "approve"},
		{"a route where none was", "update erp.customer set route_id = null", "update erp.customer set route_id = 1",
			"No day of delivery was named; it is now Tue 9 Jun 2026.", "approve"},
		{"on hold", "", "update erp.customer set credit_hold = true",
			"The order was to be approved at once; now it waits for our approval.|New: We will look at your account before " +
				"we approve the order.", "queue"},
		{"over credit", "", "update erp.customer set credit_limit = 10; update erp.web_access set credit_check = 'queue'",
			"The order was to be approved at once; now it waits for our approval.|New: We will look at your account before " +
				"we approve the order.", "queue"},
		{"another reason", "update erp.web_access set auto_approve = false", "update erp.customer set credit_hold = true",
			"New: We will look at your account before we approve the order.", "queue"},
		{"a warning", "", "update erp.customer set credit_limit = 10; update erp.web_access set credit_check = 'warn'",
			"New: This is more than your account has credit for.", "approve"},
		{"a colleague signs", "",
			"update erp.web_access set many_logins = true; update portal.login set sign_off_all = true where email = " +
				"'buyer@c1003.example'",
			"The order was to be approved at once; now a colleague has to sign it off before we get it.|New: Every order of " +
				"yours needs a signature before it goes to us.", "sign_off"},
		{"nobody signs any more",
			"update erp.web_access set many_logins = true; update portal.login set sign_off_all = true where email = " +
				"'buyer@c1003.example'", "update portal.login set sign_off_all = false",
			"A colleague was to sign the order off; now it comes to us at once.", "approve"},
		{"out of stock", "",
			"update erp.stock set on_hand = 1 where item_id = (select item_id from erp.item where item_no = 'OIL5')",
			"The order was to be approved at once; now it waits for our approval.|New: OIL5: 1 on backorder, date to follow.",
			"queue"},
		{"more on backorder",
			"update erp.stock set on_hand = 1 where item_id = (select item_id from erp.item where item_no = 'OIL5')",
			"update erp.stock set on_hand = 0 where item_id = (select item_id from erp.item where item_no = 'OIL5')",
			"OIL5: 2 on backorder, date to follow. The page said 1.", "queue"},
		{"another address", "", "update erp.ship_to set city = 'Salem' where code = '1'",
			"Ship to was “Cedar Diner 1, Portland”, is now “Cedar Diner 1, Salem”.", "approve"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pgtest.Exec(t, s.db, asBefore+c.before)
			v.post("/cart/lines", "item_no", "OIL5", "qty", "2", "mode", "set")
			page := v.page("/cart")
			pgtest.Exec(t, s.db, c.change)
			question := v.send("/cart/submit", page.asks("ship_to", "1")...)
			if question.status != http.StatusConflict || !strings.Contains(question.body, "Confirm and s") {
				t.Fatalf("sent without a question: %d, %d orders", question.status, s.orders())
			}
			said := strings.Split(c.said, "|")
			for _, text := range said {
				if !strings.Contains(question.body, "<li>"+text) && !strings.Contains(question.body, `">`+text) {
					t.Errorf("the question does not say %q", text)
				}
			}
			if again := v.send("/cart/submit", page.asks("ship_to", "1")...); again.status != http.StatusConflict ||
				s.orders() != 0 {
				t.Errorf("the old page, sent twice: %d", again.status)
			}
			a := v.send("/cart/submit", question.asks("ship_to", "1")...)
			if want := map[bool]string{true: "/approvals/",
				false: "/orders/"}[c.became == "sign_off"]; a.status != http.StatusSeeOther ||
				!strings.HasPrefix(a.header.Get("Location"), want) {
				t.Errorf("confirmed: %d %s", a.status, a.header.Get("Location"))
			}
		})
	}
}

// A change for the better goes through, and so does what never stood on a page.
func TestConfirmOutcomeBetter(t *testing.T) {
	t.Parallel()
	s, v := outcomeSite(t)
	for _, c := range []struct{ name, before, change string }{
		{"no hold any more", "update erp.customer set credit_hold = true", "update erp.customer set credit_hold = false"},
		{"one reason for another of the account", "update erp.customer set credit_hold = true",
			"update erp.customer set credit_hold = false, credit_limit = 10; update erp.web_access set credit_check = 'queue'"},
		{"less on backorder",
			"update erp.stock set on_hand = 0 where item_id = (select item_id from erp.item where item_no = 'OIL5')",
			"update erp.stock set on_hand = 1 where item_id = (select item_id from erp.item where item_no = 'OIL5')"},
		{"less room, and it still fits",
			"update erp.customer set credit_limit = 1000; update erp.web_access set credit_check = 'queue'",
			"update erp.customer set credit_limit = 100"},
		{"a later cutoff for the same day", "", "update erp.route set cutoff_time = '17:00'"},
		{"another address of the account", "", "update erp.ship_to set city = 'Salem' where code = '2'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pgtest.Exec(t, s.db, asBefore+c.before)
			v.post("/cart/lines", "item_no", "OIL5", "qty", "2", "mode", "set")
			page := v.page("/cart")
			pgtest.Exec(t, s.db, c.change)
			if a := v.send("/cart/submit", page.asks("ship_to", "1")...); a.status != http.StatusSeeOther || s.orders() != 1 {
				t.Errorf("asked: %d\n%s", a.status, a.body)
			}
		})
	}
	t.Run("a program", func(t *testing.T) {
		pgtest.Exec(t, s.db, asBefore)
		v.post("/cart/lines", "item_no", "OIL5", "qty", "2", "mode", "set")
		key := v.read("/cart").text("key")
		pgtest.Exec(t, s.db, "select erp.set_clock('2026-06-08 15:00-04'); update erp.customer set credit_hold = true")
		if a := v.post("/cart/submit", "key", key); a.status != http.StatusOK {
			t.Errorf("key and fields only: %d %s", a.status, a.body)
		}
	})
	t.Run("a program that binds", func(t *testing.T) {
		pgtest.Exec(t, s.db, asBefore)
		v.post("/cart/lines", "item_no", "OIL5", "qty", "2", "mode", "set")
		cart := v.read("/cart")
		pgtest.Exec(t, s.db, "select erp.set_clock('2026-06-08 15:00-04')")
		a := v.post("/cart/submit", "key", cart.text("key"), "shown_outcome", cart.text("shown_outcome"))
		if a.status != http.StatusConflict || !strings.Contains(a.text("message"), "is now Fri 12 Jun 2026") {
			t.Fatalf("not asked: %d %s", a.status, a.body)
		}
		if a := v.post("/cart/submit", "key", cart.text("key"),
			"shown_outcome", a.text("confirm.shown_outcome")); a.status != http.StatusOK {
			t.Errorf("confirmed: %d %s", a.status, a.body)
		}
	})
}

// The question confirms what it names: what has changed since is asked again.
func TestConfirmOutcomeAgain(t *testing.T) {
	t.Parallel()
	s, v := outcomeSite(t)
	page := v.page("/cart")
	pgtest.Exec(t, s.db, "select erp.set_clock('2026-06-08 15:00-04')")
	question := v.send("/cart/submit", page.asks()...)
	if question.status != http.StatusConflict {
		t.Fatalf("not asked: %d", question.status)
	}
	pgtest.Exec(t, s.db, "insert into erp.route_day (route_id, weekday) values (1, 3)")
	again := v.send("/cart/submit", question.asks()...)
	if again.status != http.StatusConflict ||
		!strings.Contains(again.body, "Delivery was Fri 12 Jun 2026, is now Wed 10 Jun 2026.") {
		t.Fatalf("asked about Friday, sent for Wednesday: %d", again.status)
	}
	// prices, day and a reason in one question, and one click for all of it
	s.oilAt("40")
	pgtest.Exec(t, s.db, "update erp.customer set credit_hold = true; select erp.set_clock('2026-06-09 15:00-04')")
	all := v.send("/cart/submit", again.asks()...)
	for _, text := range []string{"OIL5 rose from 27.00 to 40.00.",
		"Delivery was Wed 10 Jun 2026, is now Fri 12 Jun 2026.", "New: We will look at your account"} {
		if !strings.Contains(all.body, text) {
			t.Errorf("the question lacks %q: %d", text, all.status)
		}
	}
	if a := v.send("/cart/submit", all.asks()...); a.status != http.StatusSeeOther || s.orders() != 1 ||
		s.lastPrice() != "40.00" {
		t.Errorf("confirmed: %d, %d orders", a.status, s.orders())
	}
}

// A day that the buyer types is the buyer's own; one that it becomes is not.
func TestConfirmOutcomeWish(t *testing.T) {
	t.Parallel()
	s, v := outcomeSite(t)
	pgtest.Exec(t, s.db, "update erp.web_access set cutoff_mode = 'strict'")
	page := v.page("/cart")
	a := v.send("/cart/submit", page.asks("requested_date", "2026-06-10")...)
	if a.status != http.StatusConflict ||
		!strings.Contains(a.body, "New: There is no delivery that day: it moves to Friday, June 12.") {
		t.Fatalf("a day without a run: %d", a.status)
	}
	if a := v.send("/cart/submit", page.asks("requested_date", "2026-06-12")...); a.status != http.StatusSeeOther ||
		s.orders() != 1 {
		t.Errorf("the day that was typed: %d", a.status)
	}
}

// What a form carries tells its reader no more than the page does.
func TestOutcomeTellsNothing(t *testing.T) {
	t.Parallel()
	s, v := outcomeSite(t)
	pgtest.Exec(t, s.db,
		`update erp.item set cost = 1000 where item_no = 'OIL5'; update erp.customer set credit_hold = true, credit_limit = 7;
		update erp.web_access set see_stock = 'hidden', credit_check = 'queue'; update erp.stock set on_hand = 1`)
	page := v.page("/cart")
	carried := strings.Join(page.hidden("shown_outcome"), "")
	if !strings.Contains(carried, `"account"`) {
		t.Errorf("the form carries %s", carried)
	}
	for _, inner := range []string{"cost", "hold", "credit", "stock", "1000", "room"} {
		if strings.Contains(carried, inner) {
			t.Errorf("the form tells %q: %s", inner, carried)
		}
	}
}

// Who signs a colleague's order sees its day, its address and what objects, and
// is asked when they are others.
func TestConfirmSignOffOutcome(t *testing.T) {
	t.Parallel()
	s, v := outcomeSite(t)
	pgtest.Exec(t, s.db, `update erp.web_access set many_logins = true;
		insert into portal.login (customer_id, email, password_hash, name, customer_role, sign_off_all)
		select customer_id, 'ask@c1003.example', password_hash, 'Ask', 'buyer', true from portal.login
			where email = 'buyer@c1003.example'`)
	ask := s.logIn("ask@c1003.example")
	ask.post("/cart/lines", "item_no", "OIL5", "qty", "2")
	at := fmt.Sprintf("/approvals/%v", ask.submit("ship_to", "1").get("sign_off"))
	fields := func(a answer) []string {
		return append(a.hidden("shown", "shown_outcome", "confirm_prices", "confirm_po"), "qty_1", "2", "po_no", "",
			"requested_date", "")
	}
	page := v.page(at)
	for _, text := range []string{"Tue 9 Jun 2026", "Cedar Diner 1, Portland", "approved at once"} {
		if !strings.Contains(page.body, text) {
			t.Errorf("the request's page lacks %q", text)
		}
	}
	pgtest.Exec(t, s.db, "select erp.set_clock('2026-06-08 15:00-04'); update erp.customer set credit_hold = true; "+
		"update erp.ship_to set name = 'Cedar Annex' where code = '1'")
	question := v.send(at+"/approve", fields(page)...)
	for _, text := range []string{"Delivery was Tue 9 Jun 2026, is now Fri 12 Jun 2026.", "now it waits for our approval.",
		"New: We will look at your account", "Ship to was “Cedar Diner 1, Portland”, is now “Cedar Annex, Portland”.",
		"Confirm and sign off"} {
		if !strings.Contains(question.body, text) {
			t.Errorf("the question lacks %q: %d", text, question.status)
		}
	}
	pgtest.Exec(t, s.db, "insert into erp.route_day (route_id, weekday) values (1, 3)")
	again := v.send(at+"/approve", fields(question)...)
	if again.status != http.StatusConflict ||
		!strings.Contains(again.body, "Delivery was Fri 12 Jun 2026, is now Wed 10 Jun 2026.") {
		t.Errorf("asked about Friday, signed off for Wednesday: %d", again.status)
	}
	if a := v.send(at+"/approve", fields(again)...); a.status != http.StatusSeeOther || s.orders() != 1 {
		t.Errorf("confirmed: %d, %d orders", a.status, s.orders())
	}
}
