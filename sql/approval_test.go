package sql_test

import (
	"slices"
	"sync"
	"testing"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

func TestDecideOrderOnceHoweverManyAsk(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	approval := sql.NewApproval(openWork(t, db).Work)
	pgtest.Exec(t, db, `
		insert into erp.customer (customer_id, customer_no, name) values (1, 'C1001', 'Corner Shop');
		insert into erp.item (item_id, item_no, description, price_a) values (1, 'OIL5', 'Olive oil, 5 l', 30.00);
		insert into erp.stock (item_id, on_hand) values (1, 100);
		insert into erp.sales_order (order_id, customer_id, source) values (7, 1, 'WEB');
		insert into erp.sales_order_line (order_id, line_no, item_id, qty) values (7, 1, 1, 2)`)

	outcomes := make([]string, 4)
	var all sync.WaitGroup
	for i := range outcomes {
		all.Go(func() {
			var err error
			if outcomes[i], err = approval.DecideOrder(t.Context(), 7); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	slices.Sort(outcomes)
	if want := []string{portal.OutcomeApproved, portal.OutcomeSettled, portal.OutcomeSettled,
		portal.OutcomeSettled}; !slices.Equal(outcomes, want) {
		t.Errorf("outcomes %q", outcomes)
	}
	if got := pgtest.Value[[]string](t, db,
		`select array_agg(actor) from erp.order_status_history where to_status = 'APPROVED'`); !slices.Equal(got,
		[]string{"automatic approval"}) {
		t.Errorf("approved by %q", got)
	}
	if got, err := approval.DecideOrder(t.Context(), 8); err != nil || got != portal.OutcomeSettled {
		t.Errorf("an order that is not there: %q, %v", got, err)
	}
}
