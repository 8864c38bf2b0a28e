package main

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"portal.example/portal/internal/pgtest"
)

// nightDone is a night that has passed: books checked, prices proved, one job
// that was given up, and one statement that could not be made.
const nightDone = `
insert into river.river_job (args, kind, queue, state, max_attempts, attempt, finalized_at, metadata) values
  ('{}', 'invariants', 'default', 'completed', 1, 1, now() - interval '1 hour',
'{"output": {"count": 0, "violations": []}}'),
  ('{}', 'mail', 'mail', 'discarded', 1, 1, now() - interval '1 hour', '{}');
insert into portal.statement (customer_id, period_from, period_to, status, error) select customer_id, '2026-01-01',
	'2026-01-31', 'FAILED', 'no paper' from erp.customer where customer_no = 'C1001';
select portal.prove_prices(true);`

// The overview is for operators; it says what is well, what is not, and what to
// do, with and without JSON.
func TestOpsOverview(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	s := startSite(t, db, "127.0.0.1:0", fixtures+nightDone, func(c *settings) { c.Node = "north-1" })
	for _, who := range []*visitor{s.logIn("desk@demo.example"), s.buyer("C1003")} {
		if a := who.page("/ops"); a.status != http.StatusNotFound {
			t.Errorf("not an operator at /ops: %d", a.status)
		}
	}
	ops := s.logIn("ops@demo.example")
	var a answer
	eventually(t, "a first sample", func() bool { a = ops.read("/ops"); return a.get("sampled_at") != nil })
	is(t, a, map[string]any{"node": "north-1", "state": "look", "pools.0.name": "web", "pools.0.max": 8})
	if since, err := time.Parse(time.RFC3339, a.get("since").(string)); err != nil || time.Since(since) > time.Minute {
		t.Errorf("runs since %v: %v", a.get("since"), err)
	}
	discarded := map[any]any{} // a job that runs just now puts its queue into the list
	queues, _ := a.get("queues").([]any)
	for _, q := range queues {
		m := q.(map[string]any)
		discarded[m["queue"]] = m["discarded"]
	}
	if discarded["mail"] != 1.0 {
		t.Errorf("jobs given up by queue: %v", discarded)
	}
	states := map[string]string{}
	for _, sign := range a.get("signs").([]any) {
		m := sign.(map[string]any)
		states[m["key"].(string)] = m["state"].(string)
		if notWell := m["state"] == "look" || m["state"] == "bad"; notWell != (m["advice"] != nil) {
			t.Errorf("%v is %v and advises %v", m["key"], m["state"], m["advice"])
		}
	}
	for key, want := range map[string]string{"sockets": "good", "event-log": "good", "notify-queue": "good",
		"connections": "good", "jobs": "look", "invariants": "good", "proof": "good", "mails": "good", "statements": "look"} {
		if states[key] != want {
			t.Errorf("%s is %q, want %s", key, states[key], want)
		}
	}
	page := ops.page("/ops").body
	for _, want := range []string{"north-1", "2 need attention", `href="#sign-jobs"`, `href="#sign-statements"`,
		"Jobs shows what they failed with", `data-status="look"`, `hx-trigger="every 5s"`, `aria-current="page"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// No alert names a metric that the portal does not tell, and the table of
// docs/operations.md has every one of them.
func TestAlerts(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../docs/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	db := pgtest.New(t)
	s := startSite(t, db, "127.0.0.1:0", fixtures+nightDone)
	s.buyer("C1003").page("/catalog")
	told := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^(portal_\w+)[{ ]`).FindAllStringSubmatch(s.metrics().body, -1) {
		told[m[1]] = true
	}
	told["portal_certificate_days_left"] = true // where TLS ends in the portal: see TestCertificateIsToldOnceADay
	_, section, _ := strings.Cut(string(guide), "\n## Alerts\n")
	section, _, _ = strings.Cut(section, "\n## ")
	listed := map[string]bool{}
	for _, name := range regexp.MustCompile(`Portal[A-Z]\w+`).FindAllString(section, -1) {
		listed[name] = true
	}
	for _, name := range regexp.MustCompile("`(portal_[a-z_]+)").FindAllStringSubmatch(section, -1) {
		if !told[name[1]] && !told[name[1]+"_count"] {
			t.Errorf("docs/operations.md names %s, which is not told", name[1])
		}
	}

	// one alert is these lines, in this order; the file has nothing else
	rule := regexp.MustCompile(
		`^      - alert: (\w+)\n        expr: (.+)\n(?:        for: \d+[smh]\n)?        labels: \{severity: (?:look|page)\}\n        annotations: \{summary: "[^"\n]+"\}\n`)
	group := regexp.MustCompile(`^\n?  - name: [a-z-]+\n    rules:\n`)
	rest := regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(string(raw), "")
	rest, ok := strings.CutPrefix(rest, "groups:\n")
	if !ok {
		t.Fatal("docs/alerts.yml does not begin with its groups")
	}
	alerts := 0
	for rest != "" {
		if g := group.FindString(rest); g != "" {
			rest = rest[len(g):]
			continue
		}
		m := rule.FindStringSubmatch(rest)
		if m == nil {
			t.Fatalf("docs/alerts.yml is not as Prometheus reads it, from here on:\n%.300s", rest)
		}
		rest = rest[len(m[0]):]
		alerts++
		if !listed[m[1]] {
			t.Errorf("%s is not in docs/operations.md", m[1])
		}
		delete(listed, m[1])
		if strings.Contains(m[2], ": ") || strings.Contains(m[2], " #") {
			t.Errorf("%s: the expression has to be quoted", m[1])
		}
		names := regexp.MustCompile(`\bportal_\w+`).FindAllString(m[2], -1)
		if len(names) == 0 {
			t.Errorf("%s looks at nothing", m[1])
		}
		for _, name := range names {
			if !told[name] {
				t.Errorf("%s looks at %s, which is not told", m[1], name)
			}
		}
	}
	for name := range listed {
		t.Errorf("docs/operations.md has %s, docs/alerts.yml has not", name)
	}
	if alerts < 30 {
		t.Errorf("only %d alerts were read", alerts)
	}
}
