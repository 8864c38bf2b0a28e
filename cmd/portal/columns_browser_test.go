package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"portal.example/portal/internal/pgtest"
)

// Rows pasted into a box are asked about, answered by keyboard, and the rows come
// with the line that says how they were read; the next paste is not asked about.
func TestBrowserColumns(t *testing.T) {
	t.Parallel()
	s := newLadder(t)
	pgtest.Exec(t, s.db, moreItems)
	b := openBrowser(t, s.URL, 360)
	b.logIn("buyer@c1003.example")
	b.goTo("/quick-order")
	b.connected()
	// the last that the page's script does is to put the cursor into an empty row
	const scriptRan = "document.activeElement?.classList.contains('ref')"
	paste := func(text string) {
		t.Helper()
		eval[bool](b, fmt.Sprintf(`(() => { const data = new DataTransfer(); data.setData('text/plain', %q)
			const box = [...document.querySelectorAll('#quick-rows .ref')].at(-1)
			box.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })); return true })()`, text))
	}
	b.fill("#quick-rows .ref", "BEV1012")
	b.fill("#quick-rows .qty", "2")
	paste("OIL5\t4\tOlive\t6\nCAN1010\t12\tTom\t24")
	b.see("the question", "document.querySelector('#quick-ask') !== null && "+
		"document.querySelector('[name=col_item]').value === '0' && document.querySelector('[name=col_quantity]').value "+
		"=== ''")
	b.see("no wider than the screen", "document.documentElement.scrollWidth <= 360")
	b.see("nothing to add yet", "document.querySelector('button[value=add]') === null")
	eval[bool](b, "(() => { document.querySelector('[name=col_quantity]').focus(); return true })()")
	b.keys("column D")
	b.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("None: each"))
	eval[bool](b, "(() => { document.querySelector('#quick-ask button[value=check]').click(); return true })()")
	b.see("the rows", "document.querySelector('#quick-state')?.textContent.includes('3 lines ready')")
	b.see("how they were read",
		"document.querySelector('#quick-taken').innerText.includes('Item from column A, quantity from column D.')")
	eval[bool](b, "(() => { document.querySelector('#quick-taken button').click(); return true })()")
	b.see("the question again", "document.querySelector('#quick-ask [name=col_quantity]')?.value === '3'")
	eval[bool](b, "(() => { document.querySelector('#quick-ask button[value=check]').click(); return true })()")
	b.see("the same rows", "document.querySelector('#quick-ask') === null && "+
		"document.querySelector('#quick-state')?.textContent.includes('3 lines ready') && "+scriptRan)
	paste("BEV1012\t9\tTea\t7\nOIL5\t8\tOlive\t2")
	b.see("not asked again", "document.querySelector('#quick-state')?.textContent.includes('5 lines ready') && "+
		"document.querySelector('#quick-taken').innerText.includes('Read as you said before')")

	// a file whose rows are wrong keeps them so, whatever else is typed
	file := filepath.Join(t.TempDir(), "order.csv")
	if err := os.WriteFile(file, []byte("Item,Qty\nBEEF,1,250\nOIL5,6\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.goTo("/cart")
	eval[bool](b, "(() => { sessionStorage.clear(); return true })()")
	b.goTo("/quick-order")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#f-file"), []string{file}))
	eval[bool](b, "(() => { document.querySelector('#f-file').closest('.card').querySelector('button').click(); return "+
		"true })()")
	b.see("the bad row",
		"document.querySelector('#quick-rows tr.bad')?.innerText.includes('more columns than the others') && "+scriptRan)
	eval[bool](b, "(() => { const q = document.querySelectorAll('#quick-rows .qty')[1]; q.focus(); q.select(); return "+
		"true })()")
	b.keys("7")
	b.see("the other row is read again",
		"document.querySelectorAll('#quick-rows tr')[1].querySelector('.amount').textContent === '189.00'")
	b.see("the bad row stays",
		"document.querySelector('#quick-rows tr.bad')?.innerText.includes('more columns than the others')")
}
