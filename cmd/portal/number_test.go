package main

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// takeNumbers inserts the next ten orders as another program would: with numbers
// that the portal would draw next.
const takeNumbers = `insert into erp.sales_order (order_no, customer_id)
	select 'SO-' || s.last_value + case when s.is_called then 1 else 0 end + n, 5 from erp.order_no_seq s,
		generate_series(0, 9) n`

// submitAtOnce has four customers order at the same moment, and returns their
// orders' numbers.
func submitAtOnce(t *testing.T, s *site) []string {
	t.Helper()
	var buyers []*visitor
	for i := range 4 {
		v := s.buyer(fmt.Sprintf("C100%d", i+1))
		if a := v.post("/cart/lines", "item_no", "OIL5", "qty", "1"); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		buyers = append(buyers, v)
	}
	numbers := make([]string, len(buyers))
	var all sync.WaitGroup
	for i, v := range buyers {
		all.Go(func() {
			a := v.submit()
			if a.status != 200 {
				t.Errorf("submit: %d %s", a.status, a.body)
				return
			}
			numbers[i] = fmt.Sprint(a.get("order_no"))
		})
	}
	all.Wait()
	slices.Sort(numbers)
	return numbers
}

// Numbers and ids that another program has used are passed over.
func TestNumbersThatAreTaken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, takeNumbers)
	numbers := submitAtOnce(t, s)
	if len(slices.Compact(slices.Clone(numbers))) != 4 || numbers[0] != "SO-100011" || numbers[3] != "SO-100014" {
		t.Errorf("%q", numbers)
	}
	// ids as well
	pgtest.Exec(t, s.db, `insert into erp.sales_order (order_id, order_no, customer_id)
		select (select max(order_id) from erp.sales_order) + n, 'THEIRS-' || n, 5 from generate_series(1, 30) n`)
	if numbers := submitAtOnce(t, s); len(slices.Compact(numbers)) != 4 {
		t.Errorf("%q", numbers)
	}
}

// A transaction that has written the next numbers and not committed is waited
// for; then the portal draws once more.
func TestNumbersTakenMeanwhile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	tx, err := s.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), takeNumbers); err != nil {
		t.Fatal(err)
	}
	got := make(chan []string)
	go func() { got <- submitAtOnce(t, s) }()
	eventually(t, "four wait for the numbers", func() bool {
		return pgtest.Value[int](t, s.db,
			"select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") == 4
	})
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if numbers := <-got; len(slices.Compact(numbers)) != 4 || numbers[0] < "SO-100011" {
		t.Errorf("%q", numbers)
	}
}
