package sql_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal"
	"portal.example/portal/internal/pgtest"
	"portal.example/portal/sql"
)

// gtinModel is a second writing of erp.gtin, by the digits' weights from the
// right as the General Specifications have them.
func gtinModel(text string) string {
	text = portal.PlainCode(text)
	lower := strings.ToLower(strings.Replace(text, ",", ".", 1))
	if mantissa, power, is := strings.Cut(lower, "e"); is && len(mantissa) > 2 && mantissa[1] == '.' {
		power = strings.TrimPrefix(power, "+")
		n := 0
		if _, err := fmt.Sscanf(power, "%d", &n); err != nil || len(power) > 2 || strings.Trim(power, "0123456789") != "" ||
			n > 17 {
			return ""
		}
		part := mantissa[2:]
		if len(part) < n || strings.Trim(part[n:], "0") != "" {
			return ""
		}
		text = mantissa[:1] + part[:n]
	} else if whole, zeros, is := strings.Cut(lower, "."); is && len(whole) >= 7 && zeros != "" &&
		strings.Trim(zeros, "0") == "" && strings.Trim(whole, "0123456789") == "" {
		text = whole
	}
	text = strings.NewReplacer(" ", "", "-", "").Replace(text)
	if len(text) < 7 || strings.Trim(text, "0123456789") != "" {
		return ""
	}
	text = strings.TrimLeft(text, "0")
	if text == "" || len(text) > 14 {
		return ""
	}
	sum := 0
	for i := range text {
		digit := int(text[len(text)-1-i] - '0')
		if i%2 == 1 {
			digit *= 3
		}
		sum += digit
	}
	if sum%10 != 0 {
		return ""
	}
	return strings.Repeat("0", 14-len(text)) + text
}

func TestGTIN(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	r := rand.New(rand.NewPCG(11, 22))
	texts := []string{"", "0", "0000000", "841200014073", "0841200014073", "00841200014073", "8.41200014073E11",
		"8,41200014073E+11", "8.41200018880E11",
		"8.4120001888E11", "4.00638E+12", `="841200014073"`, "'841200014073", "\u200b841200014073\ufeff",
		"841200014073\u00a0", "841200014073.0", "841200014073,00", "8 412000 14073", "8-412000-14073", "96385074", "00000017",
		"17", "000000000000000017", "1234567", "BEV1025", "8.41E99", "1e5", "８４１２０００１４０７３", "84\x011200014073",
		"CRE\u0300ME1", "\u00e9"}
	for range 3000 {
		digits := make([]byte, 6+r.IntN(10))
		for i := range digits {
			digits[i] = byte('0' + r.IntN(10))
		}
		text := string(digits)
		switch r.IntN(8) {
		case 0:
			text = strings.Repeat("0", r.IntN(5)) + text
		case 1:
			text = text[:1] + "." + text[1:] + fmt.Sprintf("E%d", len(text)-1-r.IntN(2)+r.IntN(2))
		case 2:
			at := r.IntN(len(text))
			text = text[:at] + string([]rune(" -\u00a0\u200b.'x=")[r.IntN(8)]) + text[at:]
		case 3:
			text += []string{".0", ",00", ".5", "E", " ", "\u2009"}[r.IntN(6)]
		}
		texts = append(texts, text)
	}
	found := 0
	rows := pgtest.Value[[]string](t, db,
		"select array(select coalesce(erp.gtin(x), '') from unnest($1::text[]) with ordinality as u(x, n) order by n)", texts)
	plain := pgtest.Value[[]string](t, db,
		"select array(select erp.plain_code(x) from unnest($1::text[]) with ordinality as u(x, n) order by n)", texts)
	for i, text := range texts {
		if want := gtinModel(text); rows[i] != want {
			t.Errorf("gtin(%q) = %q, want %q", text, rows[i], want)
		}
		if want := portal.PlainCode(text); plain[i] != want {
			t.Errorf("plain_code(%q) = %q, want %q", text, plain[i], want)
		}
		if rows[i] != "" {
			found++
		}
	}
	if found < 200 {
		t.Errorf("only %d of %d are GTINs: the test shows little", found, len(texts))
	}
}

// The database refuses a code or barcode that two active items would share,
// whoever writes it, while the company wants it refused.
func TestDuplicateCodesRefused(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pgtest.Exec(t, db,
		`insert into erp.item (item_no, description, barcode) values ('DUP1', 'One', '0841200014073'),
			('OTHER', 'Other', null), ('OLD', 'Old', '96385074');
		update erp.item set active = false where item_no = 'OLD';
		insert into erp.item_uom (item_id, uom, factor, barcode) select item_id, 'CS', 12, '4006381333931' from erp.item
			where item_no = 'DUP1'`)
	conn := connectTo(t, db)
	holds := func() {
		t.Helper()
		if got := pgtest.Value[string](t, db,
			"select coalesce(string_agg(invariant || ' ' || subject || ' ' || detail, '; '), '') from erp.check_invariants()"); got != "" {
			t.Error(got)
		}
	}
	refused := func(want, statement string) {
		t.Helper()
		_, err := conn.Exec(t.Context(), statement)
		pg, _ := errors.AsType[*pgconn.PgError](err)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", statement, err)
		case want != "" && (pg == nil || !strings.Contains(pg.Message, want) || pg.Code != "PT409"):
			t.Errorf("%s: %v, want %q", statement, err, want)
		}
	}
	refused("There is an item DUP1 already: item dup1", "insert into erp.item (item_no, description) values ('dup1', 'x')")
	refused("item Dup1 would differ from it by case only", "update erp.item set item_no = 'Dup1' where item_no = 'OTHER'")
	refused("would differ from it by case only",
		"insert into erp.item (item_no, description) values ('new', 'x'), ('NEW', 'y')")
	refused("Barcode 841200014073 of N1 EA is that of DUP1 EA already",
		"insert into erp.item (item_no, description, barcode) values ('N1', 'x', '841200014073')")
	refused("is that of DUP1 EA already",
		"insert into erp.item (item_no, description, barcode) values ('N1', 'x', '8.41200014073E11')")
	refused("Barcode 4006381333931 of OTHER EA is that of DUP1 CS",
		"update erp.item set barcode = '04006381333931' where item_no = 'OTHER'")
	refused("is that of DUP1 EA already",
		"insert into erp.item_uom (item_id, uom, factor, barcode) select item_id, 'BX', 2, '841200014073' from erp.item "+
			"where item_no = 'OTHER'")
	refused("is that of DUP1", "insert into erp.item_uom (item_id, uom, factor, barcode) select item_id, 'BX', 2, "+
		"'841200014073' from erp.item where item_no = 'DUP1'")
	refused("", "insert into erp.item_uom (item_id, uom, factor, barcode) select item_id, 'EA', 1, '841200014073' from "+
		"erp.item where item_no = 'DUP1'")
	refused("", "insert into erp.item (item_no, description, barcode) values ('NEW8', 'takes an old one''s', '96385074')")
	refused("is that of", "update erp.item set active = true where item_no = 'OLD'")
	refused("", "delete from erp.item_uom where uom = 'EA'")
	refused("", "update erp.item set barcode = case item_no when 'DUP1' then '96385074' else '0841200014073' end where "+
		"item_no in ('DUP1', 'NEW8')")
	// what is free again may be taken
	refused("", "delete from erp.item_uom where uom = 'CS'; insert into erp.item (item_no, description, barcode) "+
		"values ('N2', 'x', '4006381333931')")
	refused("", "delete from erp.item where item_no = 'N2'; insert into erp.item (item_no, description, barcode) "+
		"values ('n2', 'x', '4006381333931')")
	holds()

	// an ERP that has such codes
	refused("", "update erp.company set duplicate_codes = 'allow'; insert into erp.item (item_no, description, "+
		"barcode) values ('N2', 'x', '4006381333931')")
	holds()
	refused("already", "update erp.company set duplicate_codes = 'refuse'")
	refused("", "update erp.item set active = false where item_no = 'N2'; update erp.company set duplicate_codes = "+
		"'refuse'")
	refused("already", "update erp.item set active = true where item_no = 'N2'")
	holds()
	// past the triggers
	pgtest.Exec(t, db, "set session_replication_role = replica; update erp.item set active = true where item_no = 'N2'")
	if got := pgtest.Value[string](t, db,
		"select string_agg(distinct invariant, ' ' order by invariant) from erp.check_invariants() where invariant like "+
			"'code%'"); got != "code_case code_taken" && got != "code_barcode code_case code_taken" {
		t.Errorf("the invariants say %q", got)
	}
	pgtest.Exec(t, db, "update erp.item set active = false where item_no = 'N2'")
}

func connectTo(t *testing.T, db *pgtest.DB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Two transactions that give items one barcode at once: one of them fails, at
// whatever isolation.
func TestDuplicateCodesAtOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for n, level := range []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable} {
		a, b := connectTo(t, db), connectTo(t, db)
		one, err := a.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: level})
		if err != nil {
			t.Fatal(err)
		}
		two, err := b.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: level})
		if err != nil {
			t.Fatal(err)
		}
		var pid int
		if err := two.QueryRow(t.Context(), "select pg_backend_pid()").Scan(&pid); err != nil {
			t.Fatal(err)
		}
		insert := "insert into erp.item (item_no, description, barcode) values ($1, 'x', $2)"
		code := []string{"96385074", "0841200014073", "4006381333931"}[n]
		if _, err := one.Exec(t.Context(), insert, fmt.Sprint("A", n), code); err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 1)
		go func() {
			_, err := two.Exec(t.Context(), insert, fmt.Sprint("B", n), "0"+code)
			failed <- err
		}()
		for !pgtest.Value[bool](t, db,
			"select coalesce((select wait_event_type = 'Lock' from pg_stat_activity where pid = $1), false)", pid) {
		}
		if err := one.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-failed; err == nil || !strings.Contains(err.Error(), "already") &&
			!strings.Contains(err.Error(), "Somebody else has just given") &&
			!strings.Contains(err.Error(), "could not serialize") {
			t.Errorf("%s: %v", level, err)
		}
		_ = two.Rollback(t.Context())
	}
}

// A database that has such codes already is migrated, keeps them, and the
// doctor says so; one without them refuses them from then on.
func TestDuplicateCodesThatWereThere(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("migrations/00022_codes.sql")
	if err != nil {
		t.Fatal(err)
	}
	up, down, _ := strings.Cut(string(text), "-- +goose Down")
	triggers, err := os.ReadFile("../triggers/item_code.sql")
	if err != nil {
		t.Fatal(err)
	}
	for insert, want := range map[string]string{
		"insert into erp.item (item_no, description) values ('A1', 'x'), ('a1', 'y')": "allow 0",
		"insert into erp.item (item_no, description, barcode) values ('A1', 'x', '0841200014073'), ('B1', 'y', " +
			"'841200014073')": "allow 0",
		"insert into erp.item (item_no, description, barcode) values ('A1', 'x', '0841200014073'), ('B1', 'y', '96385074')": "refuse 4",
	} {
		db := pgtest.New(t)
		pgtest.Exec(t, db, "set role portal_owner; "+down)
		pgtest.Exec(t, db, "set role portal_owner; "+insert)
		pgtest.Exec(t, db, "set role portal_owner; "+up)
		pgtest.Exec(t, db, "set role portal_owner; "+string(triggers))
		if got := pgtest.Value[string](t, db,
			"select duplicate_codes || ' ' || (select count(*) from erp.code_taken) from erp.company"); got != want {
			t.Errorf("%s: %s, want %s", insert, got, want)
		}
		found, err := sql.Examine(t.Context(), sql.Examination{URL: db.URL})
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(found, func(c sql.Checkup) bool {
			return strings.HasPrefix(c.What, "codes that two active items share")
		})
		if at < 0 || strings.Contains(found[at].Note,
			"1 numbers or barcodes mean more than one item") != (want != "refuse 4") {
			t.Errorf("%s: the doctor says %+v", insert, found)
		}
	}
}
