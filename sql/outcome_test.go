package sql_test

import (
	"strings"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// portal.outcome_changes by itself: what a page said, what is so by now, and what
// is asked of it; %name is a finding of erp.order_findings.
func TestOutcomeChanges(t *testing.T) {
	t.Parallel()
	db := world(t)
	finding := strings.NewReplacer(
		"%credit", `{"code": "over_credit", "action": "queue", "line": null, "detail": {"room": 5, "over": 7}}`,
		"%warn", `{"code": "over_credit", "action": "warn", "line": null, "detail": {}}`,
		"%hold", `{"code": "credit_hold", "action": "queue", "line": null, "detail": {}}`,
		"%cost", `{"code": "price_under_cost", "action": "queue", "line": 1, "detail": {"item_no": "OIL5", "cost": 9}}`,
		"%short",
		`{"code": "stock_short", "action": "queue", "line": 1, "detail": {"item_no": "OIL5", "stock": "number", "left": 1, "backordered": 3.0, "expected_on": "2026-12-05"}}`,
		"%sign", `{"code": "sign_off_all", "action": "sign_off", "line": null, "detail": {}}`,
		"%po", `{"code": "po_required", "action": "refuse", "line": null, "detail": {}}`,
		"%rose", `{"code": "prices_rose", "action": "refuse", "line": 1, "detail": {}}`,
		"%tue", `{"code": "next_delivery", "action": "room", "line": null, "detail": {"delivery_date": "2026-12-01"}}`,
		"%thu", `{"code": "next_delivery", "action": "room", "line": null, "detail": {"delivery_date": "2026-12-03"}}`)
	if got := pgtest.Value[string](t, db,
		"select portal.shown_outcome($1::text::jsonb, array['CS'], null) - 'outcome' - 'day' - 'ship_to'",
		finding.Replace("[%credit, %hold, %cost, %short, %rose, %tue]")); got !=
		`{"findings": [["account", "queue", null, null, null, null], ["order", "queue", "OIL5", "CS", null, null], ["stock_short", "queue", "OIL5", "CS", "3", "2026-12-05"]]}` {
		t.Errorf("a form carries %s", got)
	}

	const ask = `select coalesce(string_agg(f ->> 'code' || coalesce(':' || (f #>> '{detail,of}'), ''), ' '), '')
		from jsonb_array_elements(portal.outcome_changes(portal.read_outcome($1), $2::text::jsonb, array['CS'], null,
		nullif($3, '')::date)) f`
	for _, c := range []struct{ page, now, wish, want string }{
		{"[]", "[]", "", ""},
		{"[%tue]", "[%tue]", "", ""},
		{"[%tue]", "[%thu]", "", "delivery_changed"},
		{"[%thu]", "[%tue]", "", "delivery_changed"}, // earlier
		{"[%tue]", "[]", "", "delivery_changed"},
		{"[]", "[%tue]", "", "delivery_changed"},
		{"[%tue]", "[%thu]", "2026-12-03", ""}, // as typed
		{"[%tue]", "[%thu]", "2026-12-02", "delivery_changed"},
		{"[]", "[%credit]", "", "outcome_changed finding_new:over_credit"},
		{"[]", "[%credit, %hold]", "", "outcome_changed finding_new:over_credit"}, // the same words to a buyer
		{"[%credit]", "[%hold]", "", ""},
		{"[%credit]", "[]", "", ""},
		{"[%credit]", "[%warn]", "", ""},
		{"[%warn]", "[%credit]", "", "outcome_changed finding_new:over_credit"},
		{"[%credit]", "[%credit, %cost]", "", "finding_new:price_under_cost"},
		{"[%credit]", "[%credit, %sign]", "", "outcome_changed finding_new:sign_off_all"},
		{"[%sign]", "[]", "", "outcome_changed"}, // to us at once, and not to a colleague
		{"[%sign]", "[%credit]", "", "outcome_changed finding_new:over_credit"},
		{"[%po]", "[%credit]", "", "finding_new:over_credit"}, // the page promised nothing
		{"[%po, %credit]", "[%credit]", "", ""},
		{"[%rose]", "[%credit]", "", "outcome_changed finding_new:over_credit"}, // a question is no reason
		{"[%short]", "[%short]", "", ""},
	} {
		said := pgtest.Value[string](t, db, "select portal.shown_outcome($1::text::jsonb, array['CS'], null)::text",
			finding.Replace(c.page))
		if got := pgtest.Value[string](t, db, ask, said, finding.Replace(c.now), c.wish); got != c.want {
			t.Errorf("page %s, now %s, wish %q: %q, want %q", c.page, c.now, c.wish, got, c.want)
		}
	}
	// figures: more on backorder or a later day is told, less is not; and what is no page of ours
	for _, c := range []struct{ page, want string }{
		{`{"findings": [["stock_short", "queue", "OIL5", "CS", "3", "2026-12-05"]]}`, ""},
		{`{"findings": [["stock_short", "queue", "OIL5", "CS", "10", "2026-12-06"]]}`, ""},
		{`{"findings": [["stock_short", "queue", "OIL5", "CS", "10", null]]}`, ""},
		{`{"findings": [["stock_short", "queue", "OIL5", "CS", "2.5", "2026-12-05"]]}`, "finding_new:stock_short"},
		{`{"findings": [["stock_short", "queue", "OIL5", "CS", "3", "2026-12-04"]]}`, "finding_new:stock_short"},
		{`{"findings": [["stock_short", "queue", "OIL5", "EA", "3", "2026-12-05"]]}`, "finding_new:stock_short"},
		{`{"findings": [["stock_short", "queue", "OIL5", "CS", "NaN", "2026-12-05"]]}`, "finding_new:stock_short"},
		{`{"findings": [null, 1, {}, [], [1], ["stock_short"]]}`, "finding_new:stock_short"},
		{`{}`, "finding_new:stock_short"},
	} {
		if got := pgtest.Value[string](t, db, ask, c.page, finding.Replace("[%short]"), ""); got != c.want {
			t.Errorf("page %s: %q, want %q", c.page, got, c.want)
		}
	}
	for _, page := range []string{"", "x", "[]", "3", "null", `{"a": "\u0000"}`} {
		if pgtest.Value[bool](t, db, "select portal.read_outcome($1) is not null", page) {
			t.Errorf("%q is read", page)
		}
	}
}
