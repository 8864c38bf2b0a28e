package main

import (
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"portal.example/portal/internal/pgtest"
)

// On a phone, by keyboard: a return from an invoice line, refused and sent again
// with nothing typed twice, a photo that is made smaller on the way, and what
// becomes of it on the open page.
func TestBrowserReturn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pgtest.Exec(t, s.db, returnInvoice)
	noise := image.NewGray(image.Rect(0, 0, 2600, 900)) // does not get small by itself
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(random.Uint32())
	}
	file := filepath.Join(t.TempDir(), "carton.png")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(f, noise); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}

	b := openBrowser(t, s.URL, 360)
	b.logIn("buyer@c1003.example")
	b.goTo("/invoices/10442")
	b.click(`a[href*="line=1"]`)
	b.see("the form, opened for the line",
		`document.getElementById('f-qty-1').value === '1' && document.getElementById('f-reason-1').offsetParent !== null && document.getElementById('f-reason-2').offsetParent === null`)
	b.fill("#f-qty-1", "9")
	b.fill("#f-note", "The pallet fell over")
	b.do(chromedp.KeyEvent("\t"), chromedp.KeyEvent("\r"))
	b.see("what is wrong, where the reader begins",
		`document.activeElement.matches('[data-errors]') && document.getElementById('f-qty-1-error').textContent.includes('7 left') && document.getElementById('f-reason-1-error') !== null`)
	b.see("what was typed",
		`document.getElementById('f-qty-1').value === '9' && document.getElementById('f-note').value === 'The pallet fell over'`)
	b.fill("#f-qty-1", "5")
	eval[bool](b, `document.getElementById('f-reason-1').focus(); true`)
	b.do(chromedp.KeyEvent("Dam"), chromedp.KeyEvent("\t"))
	b.see("the reason", `document.getElementById('f-reason-1').value === 'damaged'`)
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#f-photos"), []string{file}))
	b.see("the photo is made smaller",
		`document.getElementById('f-photos').files[0]?.type === 'image/jpeg' && !document.querySelector('#return-form .btn-primary').disabled`)
	eval[bool](b, `document.querySelector('#return-form .btn-primary').focus(); true`)
	b.do(chromedp.KeyEvent("\r"))
	b.see("the request", `/^\/returns\/CR-/.test(location.pathname)`)
	b.connected()
	b.mark()
	b.status("#return-status", "REQUESTED")
	b.see("its photo", `document.querySelector('#return-photos img')?.naturalWidth === 2400`)
	no := pgtest.Value[string](t, s.db, "select request_no from erp.credit_request")
	pgtest.Exec(t, s.db, "update erp.credit_request set status = 'IN_REVIEW'")
	b.status("#return-status", "IN_REVIEW")
	b.see("screen readers are told",
		`document.getElementById('announce').textContent.includes('Return `+no+`: In review')`)
	pgtest.Exec(t, s.db, "select erp.decide_request($1, array[1], array[4], array['one was whole'])", no)
	b.status("#return-status", "APPROVED")
	b.see("fewer, and why",
		`document.getElementById('return-status').textContent.includes('4 of 5') && document.getElementById('return-lines').textContent.includes('one was whole') && document.getElementById('withdraw') === null`)
	pgtest.Exec(t, s.db, "select erp.issue_request_memo($1, 'CM-81')", no)
	b.status("#return-status", "CREDITED")
	b.see("the credit", `document.getElementById('return-status').textContent.includes('108.00')`)
	b.stillMarked()
	b.click(`a[href="/credit-memos/CM-81"]`)
	b.see("the memo", `document.getElementById('credit-memo') !== null`)
	if over := eval[int](b, "document.documentElement.scrollWidth - window.innerWidth"); over > 0 {
		t.Errorf("the memo is %d px wider than the phone", over)
	}
}
