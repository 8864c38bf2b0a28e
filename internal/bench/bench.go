// Package bench measures a running portal from outside: how long a commit
// takes to reach the sockets concerned, what an idle socket costs, and how
// quick the pages are at size. It knows the portal's addresses and the
// database's tables, and nothing of the packages that serve them.
package bench

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Latency is how long many like things took.
type Latency struct {
	Count              int
	P50, P95, P99, Max time.Duration
}

func latency(d []time.Duration) Latency {
	if len(d) == 0 {
		return Latency{}
	}
	slices.Sort(d)
	at := func(q float64) time.Duration { return d[int(math.Ceil(q*float64(len(d))))-1] } // the nearest rank
	return Latency{Count: len(d), P50: at(.50), P95: at(.95), P99: at(.99), Max: d[len(d)-1]}
}

func (l Latency) String() string {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return fmt.Sprintf("p50 %.2f  p95 %.2f  p99 %.2f  max %.2f ms  (%d)", ms(l.P50), ms(l.P95), ms(l.P99),
		ms(l.Max), l.Count)
}

// person is a session made for the measurement, with an order of its customer.
type person struct {
	cookie     string
	customerID int64
	orderID    int64
	orderNo    string
}

// marker is how everything made for a measurement is found again.
const marker = "bench-"

// people makes n customers with a log-in, a session and an order each, straight
// in the database: bcrypt would take longer than the measurement.
func people(ctx context.Context, conn *pgx.Conn, n int) ([]person, error) {
	if err := sweep(ctx, conn); err != nil {
		return nil, err
	}
	_, err := conn.Exec(ctx, `
		with c as (
			insert into erp.customer (customer_no, name) select '`+marker+
		`' || g, 'Bench ' || g from generate_series(1, $1::int) g
			returning customer_id, customer_no
		), l as (
			insert into portal.login (customer_id, email, password_hash)
			select customer_id, customer_no || '@bench.example', '$2a$04$' || repeat('x', 53) from c
		)
		insert into erp.sales_order (order_no, customer_id, source) select 'SO-' || customer_no, customer_id, 'DESK' from c`,
		n)
	if err != nil {
		return nil, fmt.Errorf("make customers: %w", err)
	}
	rows, _ := conn.Query(ctx, `select l.login_id, o.customer_id, o.order_id, o.order_no
		from erp.sales_order o join portal.login l using (customer_id) where o.order_no like 'SO-`+marker+
		`%' order by o.order_id`)
	type row struct {
		LoginID, CustomerID, OrderID int64
		OrderNo                      string
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return nil, fmt.Errorf("make customers: %w", err)
	}
	out := make([]person, len(list))
	logins := make([]int64, len(list))
	for i, r := range list {
		out[i] = person{customerID: r.CustomerID, orderID: r.OrderID, orderNo: r.OrderNo}
		logins[i] = r.LoginID
	}
	cookies, err := sessions(ctx, conn, logins)
	for i, c := range cookies {
		out[i].cookie = c
	}
	return out, err
}

// sessionsOf makes n sessions for the log-in of a customer that is there.
func sessionsOf(ctx context.Context, conn *pgx.Conn, customerNo string, n int) ([]person, error) {
	var login int64
	err := conn.QueryRow(ctx,
		`select min(l.login_id) from portal.login l join erp.customer c using (customer_id) where c.customer_no = $1`,
		customerNo).Scan(&login)
	if err != nil {
		return nil, fmt.Errorf("log-in of %s: %w", customerNo, err)
	}
	cookies, err := sessions(ctx, conn, slices.Repeat([]int64{login}, n))
	out := make([]person, len(cookies))
	for i, c := range cookies {
		out[i].cookie = c
	}
	return out, err
}

// sessions makes one for each log-in and returns their cookies.
func sessions(ctx context.Context, conn *pgx.Conn, logins []int64) ([]string, error) {
	cookies, hashes := make([]string, len(logins)), make([][]byte, len(logins))
	for i := range logins {
		raw := make([]byte, 32)
		_, _ = rand.Read(raw)
		cookies[i] = base64.RawURLEncoding.EncodeToString(raw)
		sum := sha256.Sum256([]byte(cookies[i]))
		hashes[i] = sum[:]
	}
	if _, err := conn.Exec(ctx, `insert into portal.session (login_id, token_hash, expires_at)
		select * from unnest($1::bigint[], $2::bytea[]), lateral (select now() + interval '1 day') e`, logins,
		hashes); err != nil {
		return nil, fmt.Errorf("make sessions: %w", err)
	}
	return cookies, nil
}

// sweep takes away what a measurement left.
func sweep(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `
		delete from erp.sales_order where order_no like 'SO-`+marker+`%';
		delete from erp.customer where customer_no like '`+marker+`%'`)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}
