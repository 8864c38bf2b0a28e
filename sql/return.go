package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal"
)

// CreditRequestStore implements portal.CreditRequestService. Safe for
// concurrent use.
type CreditRequestStore struct{ db *DB }

// NewCreditRequestStore serves the returns of db.
func NewCreditRequestStore(db *DB) *CreditRequestStore { return &CreditRequestStore{db} }

// noRequest is what is said of a request that is not there or not theirs.
const noRequest = "There is no such request."

// CreditRequests implements portal.CreditRequestService.
func (s *CreditRequestStore) CreditRequests(ctx context.Context, who portal.Session,
	f portal.CreditRequestFilter) (portal.CreditRequests, error) {
	at, id := parseOrderCursor(f.Before)
	var out portal.CreditRequests
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		var err error
		out.Requests, err = creditRequestRows(ctx, tx, args{"customer_id": who.CustomerID, "status": f.Status,
			"query": f.Query, "pattern": likePart(f.Query), "invoice_no": "", "before_at": at, "before_id": id,
			"row_limit": portal.PageSize + 1})
		return err
	})
	if err != nil {
		return portal.CreditRequests{}, fmt.Errorf("credit requests of customer %d: %w", who.CustomerID, err)
	}
	out.Requests, out.Next = cutPage(out.Requests,
		func(last portal.CreditRequest) string { return orderCursor(last.RequestedAt, portal.OrderID(last.ID)) })
	return out, nil
}

func creditRequestRows(ctx context.Context, tx pgx.Tx, a args) ([]portal.CreditRequest, error) {
	rows, _ := tx.Query(ctx, query("credit_request_list"), a)
	return pgx.CollectRows(rows, pgx.RowToStructByName[portal.CreditRequest])
}

// CreditRequest implements portal.CreditRequestService.
func (s *CreditRequestStore) CreditRequest(ctx context.Context, who portal.Session,
	requestNo string) (portal.CreditRequestDetail, error) {
	var out portal.CreditRequestDetail
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		var err error
		out, err = creditRequestDetail(ctx, tx, args{"request_no": requestNo, "customer_id": who.CustomerID, "staff": false})
		return err
	})
	if err != nil {
		return portal.CreditRequestDetail{}, fmt.Errorf("credit request %q of customer %d: %w", requestNo, who.CustomerID,
			notFound(err, noRequest))
	}
	return out, nil
}

// creditRequestDetail reads a request and all that hangs on it.
func creditRequestDetail(ctx context.Context, tx pgx.Tx, a args) (portal.CreditRequestDetail, error) {
	rows, _ := tx.Query(ctx, query("credit_request_head"), a)
	out, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.CreditRequestDetail])
	if err != nil {
		return out, refusal(err)
	}
	a["request_id"] = out.ID
	rows, _ = tx.Query(ctx, query("credit_request_lines"), a)
	if out.RequestLines, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.CreditRequestLine]); err != nil {
		return out, fmt.Errorf("lines: %w", err)
	}
	rows, _ = tx.Query(ctx, query("credit_request_history"), a)
	if out.History, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.CreditStep]); err != nil {
		return out, fmt.Errorf("history: %w", err)
	}
	rows, _ = tx.Query(ctx, query("credit_request_photos"), a)
	if out.RequestPhotos, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Photo]); err != nil {
		return out, fmt.Errorf("photos: %w", err)
	}
	out.Photos = len(out.RequestPhotos)
	return out, nil
}

// ReturnForm implements portal.CreditRequestService.
func (s *CreditRequestStore) ReturnForm(ctx context.Context, who portal.Session, invoiceNo,
	key string) (portal.ReturnForm, error) {
	var out portal.ReturnForm
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		a := args{"customer_id": who.CustomerID, "invoice_no": invoiceNo, "key": key}
		rows, _ := tx.Query(ctx, query("return_form"), a)
		var err error
		if out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.ReturnForm]); err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, query("return_form_lines"), a)
		if out.Lines, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.ReturnableLine]); err != nil {
			return fmt.Errorf("lines: %w", err)
		}
		rows, _ = tx.Query(ctx, query("return_reasons"), a)
		if out.Reasons, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.ReturnReason]); err != nil {
			return fmt.Errorf("reasons: %w", err)
		}
		rows, _ = tx.Query(ctx, query("draft_photos"), a)
		out.Photos, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.Photo])
		return err
	})
	if err != nil {
		return portal.ReturnForm{}, fmt.Errorf("return form of invoice %q, customer %d: %w", invoiceNo, who.CustomerID,
			notFound(err, "There is no such invoice."))
	}
	return out, nil
}

// RequestReturn implements portal.CreditRequestService.
func (s *CreditRequestStore) RequestReturn(ctx context.Context, who portal.Session,
	r portal.NewReturn) (string, error) {
	lineNos, reasons, notes := []int32{}, []string{}, []string{}
	qtys := []*string{}
	for _, l := range r.Lines {
		lineNos, reasons, notes = append(lineNos, int32(l.LineNo)), append(reasons, l.ReasonCode), append(notes, l.Note)
		var qty *string
		if l.Qty != nil {
			text := l.Qty.Decimal.String()
			qty = &text
		}
		qtys = append(qtys, qty)
	}
	var requestNo *string
	var findings []portal.ReturnFinding
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		var repeated bool
		var found json.RawMessage
		if err := tx.QueryRow(ctx, query("return_request"), args{"customer_id": who.CustomerID, "key": r.Key,
			"invoice_no": r.InvoiceNo, "line_nos": lineNos, "qtys": qtys, "reasons": reasons, "notes": notes,
			"note": r.Note}).Scan(&requestNo, &repeated, &found); err != nil {
			return err
		}
		findings = nil
		return json.Unmarshal(found, &findings)
	})
	if err == nil && requestNo == nil {
		err = returnRefused(findings)
	}
	if err != nil {
		return "", fmt.Errorf("request return of invoice %q, customer %d: %w", r.InvoiceNo, who.CustomerID, err)
	}
	return *requestNo, nil
}

// returnRefused puts the objections at their fields.
func returnRefused(findings []portal.ReturnFinding) error {
	e := &portal.Error{Code: portal.CodeInvalid, Message: "The request was not sent: look at what is marked."}
	for _, f := range findings {
		text, err := f.Text()
		if err != nil {
			return err
		}
		e.Fields = append(e.Fields, portal.FieldError{Field: f.Field, Line: f.Line, Message: text})
	}
	if len(e.Fields) == 1 {
		e.Message = e.Fields[0].Message
	}
	return e
}

// WithdrawRequest implements portal.CreditRequestService.
func (s *CreditRequestStore) WithdrawRequest(ctx context.Context, who portal.Session, requestNo string) error {
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, query("request_withdraw"), args{"customer_id": who.CustomerID, "request_no": requestNo})
		return err
	})
	if err != nil {
		return fmt.Errorf("withdraw request %q: %w", requestNo, err)
	}
	return nil
}

// AddPhoto implements portal.CreditRequestService.
func (s *CreditRequestStore) AddPhoto(ctx context.Context, who portal.Session, key string, p portal.PhotoData) error {
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error { return addPhoto(ctx, tx, who, key, p) })
	if err != nil {
		return fmt.Errorf("add photo of login %d: %w", who.LoginID, err)
	}
	return nil
}

func addPhoto(ctx context.Context, tx pgx.Tx, who portal.Session, key string, p portal.PhotoData) error {
	_, err := tx.Exec(ctx, query("request_photo_add"), args{"customer_id": who.CustomerID, "key": key, "name": p.Name,
		"media_type": p.MediaType, "width": p.Width, "height": p.Height, "data": p.Data})
	return err
}

// AddRequestPhotos implements portal.CreditRequestService.
func (s *CreditRequestStore) AddRequestPhotos(ctx context.Context, who portal.Session, requestNo string,
	photos []portal.PhotoData) error {
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		var key string
		if err := tx.QueryRow(ctx, query("request_key"),
			args{"customer_id": who.CustomerID, "request_no": requestNo}).Scan(&key); err != nil {
			return notFound(refusal(err), noRequest)
		}
		for _, p := range photos {
			if err := addPhoto(ctx, tx, who, key, p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("add photos to request %q: %w", requestNo, err)
	}
	return nil
}

// DropPhotos implements portal.CreditRequestService.
func (s *CreditRequestStore) DropPhotos(ctx context.Context, who portal.Session, key string,
	ids []portal.PhotoID) error {
	err := s.db.asCustomer(ctx, who, pgx.ReadWrite, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, query("request_photos_drop"),
			args{"customer_id": who.CustomerID, "key": key, "photo_ids": ids})
		return err
	})
	if err != nil {
		return fmt.Errorf("drop photos of login %d: %w", who.LoginID, err)
	}
	return nil
}

// Photo implements portal.CreditRequestService.
func (s *CreditRequestStore) Photo(ctx context.Context, who portal.Session, requestNo string,
	id portal.PhotoID) (portal.PhotoData, error) {
	name := "request_photo"
	if requestNo == "new" {
		name = "draft_photo"
	}
	var out portal.PhotoData
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		a := args{"request_no": requestNo, "customer_id": who.CustomerID, "photo_id": id, "staff": false,
			"login_id": who.LoginID}
		if who.Acting != portal.ActingNot {
			a["login_id"] = nil // staff's log-in is none of the customer's
		}
		var err error
		out, err = readPhoto(ctx, tx, name, a)
		return err
	})
	if err != nil {
		return portal.PhotoData{}, fmt.Errorf("photo %d of request %q: %w", id, requestNo,
			notFound(err, "There is no such photo."))
	}
	return out, nil
}

func readPhoto(ctx context.Context, tx pgx.Tx, name string, a args) (portal.PhotoData, error) {
	rows, _ := tx.Query(ctx, query(name), a)
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.PhotoData])
}

// InvoiceReturns implements portal.CreditRequestService.
func (s *CreditRequestStore) InvoiceReturns(ctx context.Context, who portal.Session,
	invoiceNo string) (portal.InvoiceReturns, error) {
	var out portal.InvoiceReturns
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		a := args{"customer_id": who.CustomerID, "status": "", "query": "", "pattern": "", "invoice_no": invoiceNo,
			"before_at": (*time.Time)(nil), "before_id": (*int64)(nil), "row_limit": portal.PageSize}
		rows, _ := tx.Query(ctx, query("invoice_returned"), a)
		var err error
		if out.Lines, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.ReturnedLine]); err != nil {
			return err
		}
		out.Requests, err = creditRequestRows(ctx, tx, a)
		return err
	})
	if err != nil {
		return portal.InvoiceReturns{}, fmt.Errorf("returns of invoice %q: %w", invoiceNo, err)
	}
	return out, nil
}

// CreditMemo implements portal.CreditRequestService.
func (s *CreditRequestStore) CreditMemo(ctx context.Context, who portal.Session,
	memoNo string) (portal.CreditMemo, error) {
	var out portal.CreditMemo
	err := s.db.asCustomer(ctx, who, pgx.ReadOnly, func(tx pgx.Tx) error {
		a := args{"customer_id": who.CustomerID, "memo_no": memoNo}
		rows, _ := tx.Query(ctx, query("credit_memo_head"), a)
		var err error
		if out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.CreditMemo]); err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, query("credit_memo_lines"), a)
		if out.Lines, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.CreditMemoLine]); err != nil {
			return fmt.Errorf("lines: %w", err)
		}
		rows, _ = tx.Query(ctx, query("credit_memo_applied"), a)
		out.Applied, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.AppliedCredit])
		return err
	})
	if err != nil {
		return portal.CreditMemo{}, fmt.Errorf("credit memo %q of customer %d: %w", memoNo, who.CustomerID,
			notFound(err, "There is no such credit memo."))
	}
	return out, nil
}

// atLine gives what the database refuses of one line its line: the detail of
// our refusals is its number.
func atLine(err error) error {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || pg.ColumnName == "" || strings.HasPrefix(pg.ConstraintName, "return_") { // those name a line of the invoice
		return err
	}
	line, bad := strconv.Atoi(pg.Detail)
	if bad != nil || line <= 0 || !slices.Contains([]string{"PT409", "PT422"}, pg.Code) {
		return err
	}
	e, ok := errors.AsType[*portal.Error](refusal(err))
	if !ok {
		return err
	}
	for i := range e.Fields {
		e.Fields[i].Line = line
	}
	return e
}
