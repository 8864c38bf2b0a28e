package sql_test

import (
	"testing"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
)

// A Web Access form that was made before somebody else's change is refused, by
// whatever program that was made; sent again over what is there now, it is
// taken.
func TestAccessFormThatIsOutOfDate(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	form := func() portal.AccessEdit {
		t.Helper()
		c, err := d.Customer(t.Context(), d.who, "C1001")
		if err != nil {
			t.Fatal(err)
		}
		return c.Access.Typed()
	}
	mine := form()
	mine.Values["require_po"] = "true"
	pgtest.Exec(t, d.DB, "update erp.web_access set see_stock = 'hidden', max_order = 10 where customer_id = (select "+
		"customer_id from erp.customer where customer_no = 'C1001')")
	if err := d.SaveAccess(t.Context(), d.who, "C1001", mine); portal.ErrorCode(err) != portal.CodeConflict {
		t.Errorf("a form that is out of date: %v", err)
	}
	if now := form(); now.IsOn("require_po") || now.Values["see_stock"] != "hidden" || now.Values["max_order"] != "10.00" {
		t.Errorf("it was written all the same: %+v", now)
	}
	again := form()
	again.Values["require_po"] = "true"
	if err := d.SaveAccess(t.Context(), d.who, "C1001", again); err != nil {
		t.Errorf("over what is there now: %v", err)
	}
	if now := form(); !now.IsOn("require_po") || now.Values["see_stock"] != "hidden" ||
		now.Values["max_order"] != "10.00" {
		t.Errorf("saved: %+v", now)
	}
	again.Shown = "" // a program that does not say what it saw
	again.Values["require_po"] = "false"
	if err := d.SaveAccess(t.Context(), d.who, "C1001", again); err != nil {
		t.Errorf("unchecked: %v", err)
	}
	if err := d.SaveAccess(t.Context(), d.who, "NOBODY", mine); portal.ErrorCode(err) != portal.CodeNotFound {
		t.Errorf("nobody: %v", err)
	}
}
