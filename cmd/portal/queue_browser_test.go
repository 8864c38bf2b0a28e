package main

import (
	"fmt"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// Two of the staff on the same list and the buyer on its order: what one
// decides, the others see in place; the waiting time goes on by itself.
func TestBrowserQueue(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, `update erp.web_access set auto_approve = false;
		insert into portal.login (staff_role, email, password_hash, name) select staff_role, 'second@demo.example',
			password_hash, 'Sam' from portal.login where email = 'desk@demo.example';
		insert into portal.user_duty (user_id, duty) select l.login_id, d.code from portal.login l cross join portal.duty d
			where l.email = 'second@demo.example'`)
	v := s.buyer("C1003")
	var no [5]string
	for i := range no {
		no[i] = v.waiting("RICE25", fmt.Sprint(i+10))
	}

	dana, sam, buyer := openBrowser(t, s.URL, 1280), openBrowser(t, s.URL, 360), openBrowser(t, s.URL, 1280)
	dana.logIn("desk@demo.example")
	sam.logIn("second@demo.example")
	buyer.logIn("buyer@c1003.example")
	pgtest.Exec(t, s.db,
		"update erp.sales_order set submitted_at = now() - interval '59 minutes 57 seconds' where order_no = $1", no[0])
	for _, b := range []*tab{dana, sam} {
		b.goTo("/desk/orders?status=review&reason=auto_approve_off")
		b.connected()
		b.mark()
	}
	row := func(no string) string { return "document.getElementById('desk-" + no + "')" }
	dana.see("59 minutes, and then an hour", row(no[0])+".querySelector('time').textContent === '1 h 0 min'")
	dana.see("the filter with its count",
		"document.querySelector('#desk-reasons [aria-current] .count').textContent === '5'")

	// one of them approves: gone from the list of the other
	dana.click("#quick-approve-" + no[0] + " button")
	for _, b := range []*tab{dana, sam} {
		b.see("the approved order is gone", row(no[0])+" === null")
	}
	// the other rejects, with words, from the list
	sam.click("[popovertarget=stop-" + no[1] + "]")
	sam.fill("#reason-"+no[1], "no truck")
	sam.click("#quick-stop-" + no[1] + " [value=REJECTED]")
	for _, b := range []*tab{dana, sam} {
		b.see("the rejected order is gone", row(no[1])+" === null")
	}
	// what is ticked stays ticked while the list changes
	buyer.goTo("/orders/" + no[4])
	buyer.connected()
	buyer.mark()
	dana.click("#tick-" + no[2])
	dana.click("#tick-" + no[3])
	sam.click("[popovertarget=stop-" + no[4] + "]")
	sam.click("#quick-stop-" + no[4] + " [value=ON_HOLD]")
	dana.see("the held order is gone", row(no[4])+" === null")
	buyer.status("#order-status", "ON_HOLD")
	dana.see("two ticked", "document.getElementById('approve-ticked').textContent.trim() === 'Approve 2 selected' && "+
		"document.getElementById('tick-all').checked")
	dana.stillMarked()
	sam.stillMarked()
	dana.click("#approve-ticked")
	dana.see("told how many", "document.querySelector('#toasts').textContent.includes('2 orders approved')")
	sam.see("an empty list", "document.querySelector('#desk-orders .empty') !== null")

	// quantities, on the order's page: the buyer sees them with the reason
	dana.goTo("/desk/orders/" + no[4])
	dana.click("#edit-qtys summary")
	dana.fill("#f-edit-qty-1", "8")
	dana.fill("#f-edit-reason", "no truck space")
	dana.click("#edit-form [type=submit]")
	buyer.see("8 instead of 14, and why",
		"document.querySelector('#order-line-1').textContent.includes('8 instead of 14: no truck space')")

	// back in the queue, the buyer changes it, and staff see that
	dana.click("#move-SUBMITTED button")
	buyer.status("#order-status", "SUBMITTED")
	buyer.stillMarked()
	buyer.click("#change-qtys summary")
	buyer.fill("#change-form [name=qty_1]", "5")
	buyer.click("#change-form [type=submit]")
	buyer.see("5", "document.querySelector('#order-line-1 [data-label=Ordered]').textContent.startsWith('5')")
	dana.see("5 at the desk", "document.querySelector('#desk-line-1 [data-label=Ordered]').textContent.startsWith('5')")
	dana.click("#move-APPROVED button")
	buyer.status("#order-status", "APPROVED")
	buyer.see("no more changes", "document.getElementById('change-qtys') === null")
	s.sound()
}
