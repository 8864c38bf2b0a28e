package shop

import (
	"net/http"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// creditMemoPage is a credit memo, on screen and on paper.
type creditMemoPage struct {
	portal.CreditMemo
	Brand page.Brand `json:"-"`
}

func (c *Counter) ShowCreditMemo(q *page.Request) error {
	if err := mayInvoices(q); err != nil {
		return err
	}
	if !q.Frame.Access.SeeBalance {
		return portal.Errorf(portal.CodeNotFound, "There is no such credit memo.")
	}
	memo, err := c.Credits.CreditMemo(q.Context(), q.Who, q.Param("memo_no"))
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "shop/credit_memo", "Credit memo "+memo.MemoNo,
		"returns", creditMemoPage{CreditMemo: memo, Brand: c.Brand})
}
