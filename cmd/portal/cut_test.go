package main

import (
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/internal/wire"
)

// over returns the same database behind a network that can be broken.
func over(t testing.TB, db *pgtest.DB) (*pgtest.DB, *wire.Wire) {
	t.Helper()
	u, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	network := wire.New(t, "unix", u.Query().Get("host")+"/.s.PGSQL."+u.Query().Get("port"))
	if u.Host != "" {
		network = wire.New(t, "tcp", u.Host)
	}
	host, port, err := net.SplitHostPort(network.Addr)
	if err != nil {
		t.Fatal(err)
	}
	u.Host, u.RawQuery = "", url.Values{"host": {host}, "port": {port}, "sslmode": {"disable"}}.Encode()
	far := *db
	far.URL = u.String()
	return &far, network
}

// The cable between a node and its database is pulled: nobody is told. The node
// says that it is not ready, sockets stay, and when the network is back pages go
// on and everything that happened meanwhile is heard once. Then connections are
// lost for good without a word, as when a firewall forgets them: the node finds
// out and makes new ones.
func TestNetworkToDatabaseFreezes(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	far, network := over(t, db)
	s := startSite(t, far, "127.0.0.1:0", fixtures, func(c *settings) { c.silence = time.Second })
	v := s.buyer("C1003")
	orderNo := v.order("OIL5", "2")
	eventually(t, "approved", func() bool { return v.read("/orders/"+orderNo).get("status") == "APPROVED" })
	socket := v.live("")
	socket.hello()
	move := func(status string) {
		pgtest.Exec(t, db, "update erp.sales_order set status = '"+status+"' where order_no = '"+orderNo+"'")
	}
	heard := func(status string) {
		t.Helper()
		seen, _ := socket.until(func(_, ref, got string) bool { return ref == orderNo && got == status })
		n := 0
		for _, e := range seen {
			if e == "order "+orderNo+" "+status {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s was heard %d times in %v", status, n, seen)
		}
	}
	ready := func(status int) func() bool {
		return func() bool { return s.visit().read("/readyz").status == status }
	}

	network.Freeze()
	move("PICKING")
	eventually(t, "the load balancer is told", ready(http.StatusServiceUnavailable))
	if a := v.read("/healthz"); a.status != http.StatusOK {
		t.Errorf("healthz: %d", a.status)
	}
	network.Mend()
	heard("PICKING")
	eventually(t, "ready again", ready(http.StatusOK))
	if got := v.read("/orders/" + orderNo).get("status"); got != "PICKING" {
		t.Errorf("the page says %v", got)
	}

	network.Strand()
	move("SHIPPED")
	heard("SHIPPED")

	// Statements that were under way then end when their own time is up or the
	// operating system finds out, within half a minute; here they are told. Then all
	// is as it was.
	network.Break()
	eventually(t, "pages again", func() bool { return v.read("/orders/"+orderNo).get("status") == "SHIPPED" })
	eventually(t, "an order", func() bool {
		return v.post("/cart/lines", "item_no", "OIL5", "qty", "1").status == http.StatusOK &&
			v.submit().status == http.StatusOK
	})
	eventually(t, "jobs go on", func() bool {
		return pgtest.Value[int](t, db, "select count(*)::int from erp.sales_order where status = 'APPROVED'") == 1
	})
}
