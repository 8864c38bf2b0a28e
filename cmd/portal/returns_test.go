package main

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"regexp"
	"strings"
	"sync"
	"testing"

	"portal.example/portal/internal/pgtest"
)

// returnInvoice is scenario 36's: invoice 10442 of C1003, 10 OIL5 at 27.00, of
// which 3 are credited; line 2 is 4 RICE25.
const returnInvoice = `
insert into erp.invoice (invoice_no, customer_id, due_date) select '10442', customer_id, erp.today() + 30
	from erp.customer where customer_no = 'C1003';
insert into erp.invoice_line (invoice_id, line_no, item_id, description, qty, unit_price, line_total)
	select i.invoice_id, v.n, t.item_id, t.description, v.qty, v.price, v.qty * v.price
	from (values (1, 'OIL5', 10, 27.00), (2, 'RICE25', 4, 20.00)) as v(n, item_no, qty, price)
	join erp.item t using (item_no) cross join erp.invoice i;
with m as (insert into erp.credit_memo (memo_no, customer_id) select 'CM-9', customer_id from erp.invoice
	returning credit_memo_id)
insert into erp.credit_memo_line (credit_memo_id, line_no, invoice_id, invoice_line_no, qty, unit_price, line_total)
	select credit_memo_id, 1, invoice_id, 1, 3, 27, 81 from m, erp.invoice;`

// returnKey reads the key of a fresh form.
func (v *visitor) returnKey(invoiceNo string) string {
	v.s.t.Helper()
	a := v.read("/returns/new?invoice=" + invoiceNo)
	key, _ := a.get("key").(string)
	if a.status != http.StatusOK || key == "" {
		v.s.t.Fatalf("form: %d %s", a.status, a.body)
	}
	return key
}

// giveBack sends a request and returns the answer.
func (v *visitor) giveBack(pairs ...string) answer {
	v.s.t.Helper()
	return v.post("/returns/new", append([]string{"invoice", "10442", "key", v.returnKey("10442")}, pairs...)...)
}

// fieldError is the message at a field of a line in a refusal.
func (a answer) fieldError(field string, line int) string {
	fields, _ := a.get("fields").([]any)
	for _, f := range fields {
		m := f.(map[string]any)
		at, _ := m["line"].(float64)
		if m["field"] == field && int(at) == line {
			return fmt.Sprint(m["message"])
		}
	}
	return ""
}

func TestAcceptance36ReturnLimit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, returnInvoice)
	v := s.buyer("C1003")
	if a := v.giveBack("qty_1", "2", "reason_1", "damaged"); a.status != http.StatusOK {
		t.Fatalf("2 of 7: %d %s", a.status, a.body)
	}
	if a := v.read("/returns/new?invoice=10442"); a.get("lines.0.qty_left") != "5" ||
		a.get("lines.0.qty_credited") != "3" || a.get("lines.0.qty_pending") != "2" {
		t.Errorf("the form says %v", a.get("lines.0"))
	}
	if a := v.giveBack("qty_1", "6", "reason_1", "damaged"); a.status != http.StatusUnprocessableEntity ||
		!strings.HasPrefix(a.fieldError("qty", 1), "5 left") {
		t.Errorf("6 of 5: %d %s", a.status, a.body)
	}
	// all that is wrong is said at once, at its field, and what was typed stays
	a := v.send("/returns/new?invoice=10442", "invoice", "10442", "key", v.returnKey("10442"), "qty_1", "4", "text_1",
		"typed by hand", "qty_2", "1.5", "reason_2", "other", "note", "a note")
	for _, want := range []string{`id="f-reason-1-error"`, "Choose why.", `id="f-qty-2-error"`, `id="f-note-2-error"`,
		`value="typed by hand"`, `value="1.5"`, ">a note</textarea>", `value="other" selected`, `href="#f-reason-1"`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the refused form (%d) lacks %s", a.status, want)
		}
	}
	for what, c := range map[string]struct {
		pairs []string
		field string
		line  int
	}{
		"nothing":                  {nil, "", 0},
		"no quantity":              {[]string{"reason_1", "damaged"}, "qty", 1},
		"an unknown reason":        {[]string{"qty_1", "1", "reason_1", "whim"}, "reason", 1},
		"other without words":      {[]string{"qty_1", "1", "reason_1", "other"}, "note", 1},
		"a line that is not there": {[]string{"qty_7", "1", "reason_7", "damaged"}, "qty", 7},
		"words, not a number":      {[]string{"qty_1", "many", "reason_1", "damaged"}, "qty", 1},
	} {
		if a := v.giveBack(c.pairs...); a.status != http.StatusUnprocessableEntity || a.fieldError(c.field, c.line) == "" {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}

	// two tabs ask for the last five at once
	tabs := []*visitor{v, s.second("C1003")}
	keys := []string{tabs[0].returnKey("10442"), tabs[1].returnKey("10442")}
	answers := make([]answer, 2)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i, tab := range tabs {
		wg.Go(func() {
			<-start
			answers[i] = tab.post("/returns/new", "invoice", "10442", "key", keys[i], "qty_1", "5", "reason_1", "damaged")
		})
	}
	close(start)
	wg.Wait()
	won := 0
	if answers[1].status == http.StatusOK {
		won = 1
	}
	if answers[won].status != http.StatusOK || answers[1-won].status != http.StatusUnprocessableEntity ||
		!strings.HasPrefix(answers[1-won].fieldError("qty", 1), "0 left") {
		t.Errorf("two tabs: %d %s, %d %s", answers[0].status, answers[0].body, answers[1].status, answers[1].body)
	}
	// sent again, it is the same request
	again := tabs[won].post("/returns/new", "invoice", "10442", "key", keys[won], "qty_1", "5", "reason_1", "damaged")
	if again.get("request_no") != answers[won].get("request_no") || again.get("request_no") == nil {
		t.Errorf("sent again: %s, was %s", again.body, answers[won].body)
	}
	// the second finds the first with one of its lines taken: as one, or not at all
	if a := v.giveBack("qty_1", "1", "reason_1", "damaged", "qty_2", "1", "reason_2",
		"damaged"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("half a request: %d %s", a.status, a.body)
	}

	// the reasons' time, the account's time, and the account's switch
	pgtest.Exec(t, s.db, "set local session_replication_role = replica; update erp.invoice set invoice_date = "+
		"erp.today() - 8, due_date = erp.today()")
	if a := v.giveBack("qty_2", "1", "reason_2", "damaged"); !strings.HasPrefix(a.fieldError("reason", 2),
		"Damaged was possible until") {
		t.Errorf("damaged after 8 days: %d %s", a.status, a.body)
	}
	pgtest.Exec(t, s.db, of("return_days = 8"))
	if a := v.giveBack("qty_2", "1", "reason_2", "price_error"); a.status != http.StatusOK {
		t.Errorf("on the last day: %d %s", a.status, a.body)
	}
	pgtest.Exec(t, s.db, of("return_days = 7"))
	if a := v.giveBack("qty_2", "1", "reason_2", "price_error"); a.fieldError("reason", 2) == "" {
		t.Errorf("after the account's days: %d %s", a.status, a.body)
	}
	key := v.returnKey("10442")
	pgtest.Exec(t, s.db, of("return_days = null, can_return = false"))
	for what, a := range map[string]answer{
		"the form":  v.read("/returns/new?invoice=10442"),
		"a request": v.post("/returns/new", "invoice", "10442", "key", key, "qty_2", "1", "reason_2", "price_error"),
	} {
		if a.status != http.StatusForbidden {
			t.Errorf("returns off: %s: %d %s", what, a.status, a.body)
		}
	}
	if a := v.page("/invoices/10442"); strings.Contains(a.body, "/returns/new") {
		t.Error("returns off: the invoice offers one")
	}
}

func TestAcceptance37ReturnCredited(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, returnInvoice)
	v, desk := s.buyer("C1003"), s.logIn("desk@demo.example")
	balance := func() string {
		return pgtest.Value[string](t, s.db,
			"select balance::text from erp.customer c cross join lateral erp.aging(c.customer_id) where customer_no = 'C1003'")
	}
	socket := v.live("")
	socket.hello()
	no := fmt.Sprint(v.giveBack("qty_1", "5", "reason_1", "damaged", "note", "Dropped").get("request_no"))
	path, at := "/returns/"+no, "/desk/returns/"+no
	if a := desk.read("/desk/returns"); a.get("requests.0.request_no") != no || a.get("requests.0.value") != "135.00" {
		t.Errorf("the desk's list: %s", a.body)
	}
	before := balance()
	step := func(a answer, status string) {
		t.Helper()
		if a.status != http.StatusOK {
			t.Fatalf("%s: %d %s", status, a.status, a.body)
		}
		socket.until(func(kind, ref, got string) bool { return kind == "credit" && ref == no && got == status })
		if got := v.read(path).get("status"); got != status {
			t.Errorf("the buyer sees %v, want %s", got, status)
		}
	}
	step(desk.post(at+"/review"), "IN_REVIEW")
	if a := desk.post(at+"/decide", "qty_1", "4"); a.fieldError("reason", 0) == "" {
		t.Errorf("fewer without a reason: %d %s", a.status, a.body)
	}
	if a := desk.post(at+"/decide", "qty_1", "6", "reason", "x"); a.fieldError("qty", 1) == "" {
		t.Errorf("more than asked for: %d %s", a.status, a.body)
	}
	if a := desk.post(at+"/decide", "qty_1", "4", "reason", "x", "from", "REQUESTED"); a.status != http.StatusConflict {
		t.Errorf("decided on another state than was seen: %d %s", a.status, a.body)
	}
	step(desk.post(at+"/decide", "qty_1", "4", "reason", "one was whole", "from", "IN_REVIEW"), "APPROVED")
	page := v.page(path)
	for _, want := range []string{"4 of 5", "one was whole"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the buyer does not read %q", want)
		}
	}
	if got := v.read("/returns/new?invoice=10442").get("lines.0.qty_left"); got != "3" {
		t.Errorf("%v left after 4 of 5, want 3", got)
	}
	step(desk.post(at+"/credit", "memo_no", "CM-81"), "CREDITED")
	if after := balance(); before != "269.00" || after != "161.00" {
		t.Errorf("the balance went from %s to %s", before, after)
	}
	a := v.read(path)
	if a.get("memo_no") != "CM-81" || a.get("credited") != "108.00" || a.get("lines.0.qty_credited") != "4" {
		t.Errorf("credited: %s", a.body)
	}
	page = v.page(path)
	for _, want := range []string{`href="/credit-memos/CM-81"`, "108.00"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the buyer does not read %s", want)
		}
	}
	memo := v.read("/credit-memos/CM-81")
	if memo.get("total") != "108.00" || memo.get("lines.0.unit_price") != "27.00" || memo.get("lines.0.qty") != "4" ||
		memo.get("applied.0.amount") != "108.00" || memo.get("request_no") != no {
		t.Errorf("the memo: %s", memo.body)
	}
	if got := v.read("/invoices/10442").get("open_amount"); got != "242.00" {
		t.Errorf("invoice open: %v", got)
	}
	// once only, and its number is not given twice
	if a := desk.post(at+"/credit", "memo_no", "CM-82"); a.get("memo_no") != "CM-81" {
		t.Errorf("issued again: %s", a.body)
	}
	next := fmt.Sprint(v.giveBack("qty_1", "1", "reason_1", "damaged").get("request_no"))
	desk.post("/desk/returns/" + next + "/decide")
	if a := desk.post("/desk/returns/"+next+"/credit", "memo_no", "CM-81"); a.fieldError("memo_no", 0) == "" {
		t.Errorf("a number twice: %d %s", a.status, a.body)
	}
	// rejected with its reason, and withdrawn by the buyer; after that nothing moves it
	bad := fmt.Sprint(v.giveBack("qty_2", "1", "reason_2", "defective").get("request_no"))
	if a := desk.post("/desk/returns/"+bad+"/reject", "reason", " "); a.fieldError("reason", 0) == "" {
		t.Errorf("rejected without a reason: %d %s", a.status, a.body)
	}
	desk.post("/desk/returns/"+bad+"/reject", "reason", "no truck space")
	if a := v.page("/returns/" + bad); !strings.Contains(a.body, "no truck space") {
		t.Error("the buyer does not read why it was rejected")
	}
	mine := fmt.Sprint(v.giveBack("qty_2", "1", "reason_2", "defective").get("request_no"))
	if a := v.post("/returns/" + mine + "/withdraw"); a.status != http.StatusOK ||
		v.read("/returns/"+mine).get("status") != "WITHDRAWN" {
		t.Errorf("withdraw: %d %s", a.status, a.body)
	}
	for what, a := range map[string]answer{
		"withdraw what is rejected":  v.post("/returns/" + bad + "/withdraw"),
		"approve what is withdrawn":  desk.post("/desk/returns/" + mine + "/decide"),
		"credit what is withdrawn":   desk.post("/desk/returns/" + mine + "/credit"),
		"withdraw what was credited": v.post(path + "/withdraw"),
	} {
		if a.status != http.StatusConflict {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	// goods must come back, and what does goes on the shelf
	back := fmt.Sprint(v.giveBack("qty_2", "2", "reason_2", "wrong_item").get("request_no"))
	desk.post("/desk/returns/" + back + "/decide")
	if got := v.read("/returns/" + back).get("status"); got != "AWAITING_GOODS" {
		t.Errorf("goods must come back: %v", got)
	}
	if a := desk.post("/desk/returns/" + back + "/credit"); a.status != http.StatusConflict {
		t.Errorf("credited before they are: %d %s", a.status, a.body)
	}
	stock := "select on_hand::text from erp.stock join erp.item using (item_id) where item_no = 'RICE25'"
	was := pgtest.Value[int](t, s.db, strings.Replace(stock, "::text", "::int", 1))
	if a := desk.post("/desk/returns/"+back+"/receive", "qty_2", "1"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("goods of a line that is not there: %d %s", a.status, a.body)
	}
	if a := desk.post("/desk/returns/"+back+"/receive", "qty_1", "1", "restock_1", "true"); a.status != http.StatusOK {
		t.Fatalf("goods: %d %s", a.status, a.body)
	}
	if got := pgtest.Value[int](t, s.db, strings.Replace(stock, "::text", "::int", 1)); got != was+1 {
		t.Errorf("%d on the shelf, were %d", got, was)
	}
	desk.post("/desk/returns/" + back + "/credit")
	if a := v.read("/returns/" + back); a.get("credited") != "20.00" || a.get("lines.0.qty_received") != "1" {
		t.Errorf("one of two came back: %s", a.body)
	}
	raw := socket.raw.String()
	if m := regexp.MustCompile(`\b(108|81|27|20|242|161)\.00`).FindString(raw); m != "" {
		t.Errorf("a frame holds an amount: %s in %s", m, raw)
	}
}

// withPhotos sends a form with files, name, file name and content in turn.
func (v *visitor) withPhotos(path, accept string, pairs []string, files ...any) answer {
	v.s.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		_ = w.WriteField(pairs[i], pairs[i+1])
	}
	for i := 0; i+1 < len(files); i += 2 {
		h := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name="photos"; filename="%s"`, files[i])},
			"Content-Type": {"image/jpeg"}}
		part, err := w.CreatePart(h)
		if err != nil {
			v.s.t.Fatal(err)
		}
		_, _ = part.Write(files[i+1].([]byte))
	}
	_ = w.Close()
	req, err := http.NewRequest("POST", v.s.URL+path, &body)
	if err != nil {
		v.s.t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("Content-Type", w.FormDataContentType())
	resp, err := v.client.Do(req)
	if err != nil {
		v.s.t.Fatal(err)
	}
	a, err := readAnswer(resp)
	if err != nil {
		v.s.t.Fatal(err)
	}
	return a
}

func somePhoto(t testing.TB, side int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, side, side)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Photos are what they are by their content, are kept over a refusal, are
// served as nothing else, and to nobody else; a request and its memo neither;
// and roles and a hidden balance hold.
func TestReturnPrivacy(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, returnInvoice)
	v, other, desk := s.buyer("C1003"), s.buyer("C1002"), s.logIn("desk@demo.example")
	key := v.returnKey("10442")
	line := []string{"invoice", "10442", "key", key, "qty_1", "2", "reason_1", "damaged"}
	for name, data := range map[string][]byte{
		"page.jpg":  []byte("<!doctype html><script>alert(1)</script>"),
		"draw.jpg":  []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`),
		"lie.jpg":   []byte("\xff\xd8\xff<script>alert(1)</script>"),
		"phone.jpg": []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"),
		"large.jpg": append(somePhoto(t, 8), make([]byte, 5<<20)...),
	} {
		a := v.withPhotos("/returns/new", "application/json", line, name, data)
		if a.status != http.StatusUnprocessableEntity || !strings.HasPrefix(a.fieldError("photos", 0), name+" is ") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if a := v.withPhotos("/returns/new?invoice=10442", "text/html", line, "many.jpg",
		make([]byte, 32<<20+64<<10)); a.status != http.StatusUnprocessableEntity ||
		!strings.Contains(a.body, "too large together") || !strings.Contains(a.body, `id="return-form"`) {
		t.Errorf("more than six photos can be: %d", a.status)
	}
	// what is good of a refused form waits for the next try, and can be left out
	a := v.withPhotos("/returns/new?invoice=10442", "text/html", []string{"invoice", "10442", "key", key, "qty_1", "2"},
		"one.jpg", somePhoto(t, 10), "two.jpg", somePhoto(t, 11), "bad.jpg", []byte("no"))
	drafts := regexp.MustCompile(`/returns/new/photos/(\d+)`).FindAllStringSubmatch(a.body, -1)
	if a.status != http.StatusUnprocessableEntity || len(drafts) != 2 ||
		!strings.Contains(a.body, "bad.jpg is not a photo") {
		t.Fatalf("refused with photos: %d, kept %v", a.status, drafts)
	}
	if a := v.page(drafts[0][0]); a.status != http.StatusOK || a.header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("a photo of the form: %d %v", a.status, a.header)
	}
	if a := v.withPhotos("/returns/new", "application/json", line, "1.jpg", somePhoto(t, 1), "2.jpg", somePhoto(t, 2),
		"3.jpg", somePhoto(t, 3), "4.jpg", somePhoto(t, 4), "5.jpg",
		somePhoto(t, 5)); a.status != http.StatusUnprocessableEntity ||
		!strings.Contains(a.fieldError("photos", 0), "Six photos") {
		t.Errorf("seven photos: %d %s", a.status, a.body)
	}
	pgtest.Exec(t, s.db, "delete from portal.request_photo where width < 10")
	send := append(line, "drop_photo_"+drafts[1][1], "true")
	a = v.withPhotos("/returns/new", "application/json", send, "one.jpg", somePhoto(t, 10))
	no := fmt.Sprint(a.get("request_no"))
	again := v.withPhotos("/returns/new", "application/json", send, "one.jpg", somePhoto(t, 10))
	if a.status != http.StatusOK || again.get("request_no") != no {
		t.Fatalf("sent: %d %s, again %s", a.status, a.body, again.body)
	}
	detail := v.read("/returns/" + no)
	if photos, _ := detail.get("photos").([]any); len(photos) != 1 {
		t.Errorf("photos after sending twice: %v", detail.get("photos"))
	}
	photo := fmt.Sprintf("/returns/%s/photos/%v", no, detail.get("photos.0.photo_id"))
	for _, reader := range []struct {
		v    *visitor
		path string
	}{{v, photo}, {desk, "/desk" + photo}} {
		a := reader.v.page(reader.path)
		h := a.header
		if a.status != http.StatusOK || h.Get("Content-Type") != "image/jpeg" ||
			h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.HasPrefix(h.Get("Content-Disposition"), "inline; filename=") ||
			h.Get("Content-Security-Policy") != "default-src 'none'; sandbox" || h.Get("Cache-Control") != "private, no-store" {
			t.Errorf("%s: %d %v", reader.path, a.status, h)
		}
	}
	if a := v.withPhotos("/returns/"+no+"/photos", "application/json", nil, "late.jpg",
		somePhoto(t, 12)); a.status != http.StatusOK {
		t.Errorf("a photo later: %d %s", a.status, a.body)
	}
	desk.post("/desk/returns/" + no + "/decide")
	desk.post("/desk/returns/"+no+"/credit", "memo_no", "CM-81")
	if a := v.withPhotos("/returns/"+no+"/photos", "application/json", nil, "late.jpg",
		somePhoto(t, 13)); a.status != http.StatusConflict {
		t.Errorf("a photo after the decision: %d %s", a.status, a.body)
	}

	// another customer finds nothing of it
	for _, path := range []string{"/returns/" + no, photo, "/returns/new?invoice=10442", "/credit-memos/CM-81",
		"/credit-memos/CM-9", strings.Replace(photo, no, "new", 1)} {
		if a := other.read(path); a.status != http.StatusNotFound {
			t.Errorf("another customer gets %s: %d", path, a.status)
		}
	}
	for path, pairs := range map[string][]string{
		"/returns/new":                 {"invoice", "10442", "key", key, "qty_1", "1", "reason_1", "damaged"},
		"/returns/" + no + "/withdraw": nil,
	} {
		if a := other.post(path, pairs...); a.status != http.StatusNotFound {
			t.Errorf("another customer posts %s: %d %s", path, a.status, a.body)
		}
	}
	if a := other.withPhotos("/returns/"+no+"/photos", "application/json", nil, "x.jpg",
		somePhoto(t, 9)); a.status != http.StatusNotFound {
		t.Errorf("another customer adds a photo: %d", a.status)
	}
	if a := other.read("/returns"); a.status != http.StatusOK || strings.Contains(a.body, no) {
		t.Error("another customer's list has it")
	}
	if !strings.Contains(s.log.String(), "not found") {
		t.Error("the tries are not in the log")
	}

	// who only looks sees no returns; accounts do, and ask
	s.addPerson("C1003", "view@c1003.example", "view", "spend_limit = null")
	s.addPerson("C1003", "accounts@c1003.example", "accounts", "spend_limit = null")
	viewer, accounts := s.logIn("view@c1003.example"), s.logIn("accounts@c1003.example")
	for _, path := range []string{"/returns", "/returns/" + no, "/returns/new?invoice=10442",
		"/credit-memos/CM-81", photo} {
		if a := viewer.read(path); a.status != http.StatusForbidden {
			t.Errorf("who only looks gets %s: %d", path, a.status)
		}
		if a := accounts.page(path); a.status != http.StatusOK {
			t.Errorf("accounts get %s: %d", path, a.status)
		}
	}
	if a := viewer.post("/returns/new", "invoice", "10442", "key", key, "qty_1", "1", "reason_1",
		"damaged"); a.status != http.StatusForbidden {
		t.Errorf("who only looks asks: %d %s", a.status, a.body)
	}
	if a := accounts.giveBack("qty_2", "1", "reason_2", "damaged"); a.status != http.StatusOK {
		t.Errorf("accounts ask: %d %s", a.status, a.body)
	}

	// scenario 34: with the balance hidden requests and their states stay, amounts go
	pgtest.Exec(t, s.db, of("see_balance = false"))
	for _, path := range []string{"/returns", "/returns/" + no, "/invoices/10442"} {
		for _, a := range []answer{v.page(path), v.read(path)} {
			if a.status != http.StatusOK || path != "/invoices/10442" && !strings.Contains(a.body, no) {
				t.Errorf("balance hidden: %s: %d", path, a.status)
			}
			for _, amount := range []string{"54.00", "81.00"} {
				if strings.Contains(a.body, amount) {
					t.Errorf("balance hidden: %s holds %s", path, amount)
				}
			}
		}
	}
	if a := v.read("/returns/" + no); a.get("status") != "CREDITED" || a.get("memo_no") != "CM-81" ||
		a.get("credited") != nil || a.get("lines.0.qty_credited") != "2" {
		t.Errorf("balance hidden: %s", a.body)
	}
	for _, memo := range []string{"/credit-memos/CM-81", "/credit-memos/CM-9"} {
		if a := v.read(memo); a.status != http.StatusNotFound {
			t.Errorf("balance hidden: %s: %d", memo, a.status)
		}
	}
	pgtest.Exec(t, s.db, of("see_balance = true"))
	if a := v.read("/returns/" + no); a.get("credited") != "54.00" {
		t.Errorf("balance shown again: %s", a.body)
	}
}
