package sql

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"portal.example/portal"
)

// Requests implements portal.ReturnDesk.
func (s *ReturnDesk) Requests(ctx context.Context, who portal.Session,
	f portal.CreditRequestFilter) (portal.DeskCreditRequests, error) {
	at, id := parseOrderCursor(f.Before)
	a := args{"status": f.Status, "query": f.Query, "pattern": likePart(f.Query), "before_at": at, "before_id": id,
		"row_limit": portal.PageSize + 1}
	if f.Status == "" {
		a["status"] = "open"
		if f.Query != "" {
			a["status"] = "all"
		}
	}
	out := portal.DeskCreditRequests{Counts: map[string]int{}}
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("desk_credit_request_list"), a)
		var err error
		if out.Requests, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.DeskCreditRequest]); err != nil {
			return err
		}
		type count struct {
			Status   string
			Requests int
		}
		rows, _ = tx.Query(ctx, query("desk_credit_request_counts"))
		counts, err := pgx.CollectRows(rows, pgx.RowToStructByName[count])
		if err != nil {
			return fmt.Errorf("counts: %w", err)
		}
		for _, c := range counts {
			out.Counts[c.Status] = c.Requests
		}
		return tx.QueryRow(ctx, query("now")).Scan(&out.Now)
	})
	if err != nil {
		return portal.DeskCreditRequests{}, fmt.Errorf("desk credit requests: %w", err)
	}
	out.Requests, out.Next = cutPage(out.Requests, func(last portal.DeskCreditRequest) string {
		return orderCursor(last.RequestedAt, portal.OrderID(last.ID))
	})
	return out, nil
}

// Request implements portal.ReturnDesk.
func (s *ReturnDesk) Request(ctx context.Context, who portal.Session,
	requestNo string) (portal.DeskCreditRequestDetail, error) {
	var out portal.DeskCreditRequestDetail
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		a := args{"request_no": requestNo, "customer_id": portal.CustomerID(0), "staff": true}
		head, err := creditRequestDetail(ctx, tx, a)
		if err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, query("desk_credit_request_more"), a)
		if out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByNameLax[portal.DeskCreditRequestDetail]); err != nil {
			return err
		}
		out.CreditRequestDetail = head
		rows, _ = tx.Query(ctx, query("desk_credit_request_rooms"), a)
		out.Rooms, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.ReturnedLine])
		return err
	})
	if err != nil {
		return portal.DeskCreditRequestDetail{}, fmt.Errorf("desk credit request %q: %w", requestNo, notFound(err, noRequest))
	}
	return out, nil
}

// Photo implements portal.ReturnDesk.
func (s *ReturnDesk) Photo(ctx context.Context, who portal.Session, requestNo string,
	id portal.PhotoID) (portal.PhotoData, error) {
	var out portal.PhotoData
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		var err error
		out, err = readPhoto(ctx, tx, "request_photo",
			args{"request_no": requestNo, "customer_id": portal.CustomerID(0), "photo_id": id, "staff": true})
		return err
	})
	if err != nil {
		return portal.PhotoData{}, fmt.Errorf("photo %d of request %q: %w", id, requestNo,
			notFound(err, "There is no such photo."))
	}
	return out, nil
}

// ReviewRequest implements portal.ReturnDesk.
func (s *ReturnDesk) ReviewRequest(ctx context.Context, who portal.Session, requestNo string) error {
	return s.requestStep(ctx, who, "desk_request_review", args{"request_no": requestNo}, "")
}

// RejectRequest implements portal.ReturnDesk.
func (s *ReturnDesk) RejectRequest(ctx context.Context, who portal.Session, requestNo, reason, shown string) error {
	return s.requestStep(ctx, who, "desk_request_reject", args{"request_no": requestNo, "reason": reason}, shown)
}

// ReceiveGoods implements portal.ReturnDesk.
func (s *ReturnDesk) ReceiveGoods(ctx context.Context, who portal.Session, requestNo string,
	g portal.GoodsReceipt) error {
	lineNos, texts := qtyArrays(g.Qtys)
	restock := make([]int32, len(g.Restock))
	for i, line := range g.Restock {
		restock[i] = int32(line)
	}
	return s.requestStep(ctx, who, "desk_request_receive",
		args{"request_no": requestNo, "line_nos": lineNos, "qtys": texts, "restock": restock}, g.Shown)
}

func (s *ReturnDesk) requestStep(ctx context.Context, who portal.Session, name string, a args, shown string) error {
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if err := sameRequest(ctx, tx, a["request_no"], shown); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, query(name), a)
		return atLine(err)
	})
	if err != nil {
		return fmt.Errorf("%s %q: %w", name, a["request_no"], err)
	}
	return nil
}

// sameRequest holds a request and refuses where it is not the one that the page
// of a form showed. One in a status of done is there already, and not compared.
func sameRequest(ctx context.Context, tx pgx.Tx, requestNo any, shown string,
	done ...portal.CreditRequestStatus) error {
	if shown == "" {
		return nil
	}
	var status portal.CreditRequestStatus
	if err := tx.QueryRow(ctx, query("desk_request_status"), args{"request_no": requestNo}).Scan(&status); err != nil {
		return notFound(refusal(err), noRequest)
	}
	if slices.Contains(done, status) {
		return nil
	}
	if _, err := tx.Exec(ctx, query("desk_request_lines_hold"), args{"request_no": requestNo}); err != nil {
		return err
	}
	now, err := creditRequestDetail(ctx, tx,
		args{"request_no": requestNo, "customer_id": portal.CustomerID(0), "staff": true})
	if err != nil {
		return err
	}
	return now.Figures().Compare(shown, nil, portal.LookAgain)
}

// DecideRequest implements portal.ReturnDesk.
func (s *ReturnDesk) DecideRequest(ctx context.Context, who portal.Session, requestNo string,
	d portal.CreditDecision) (portal.CreditRequestStatus, error) {
	lineNos, texts, notes := []int32{}, []string{}, []string{}
	for _, line := range slices.Sorted(maps.Keys(d.Qtys)) {
		lineNos, texts, notes = append(lineNos, int32(line)), append(texts, d.Qtys[line].Decimal.String()),
			append(notes, d.Notes[line])
	}
	var to portal.CreditRequestStatus
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if d.From != "" {
			var now portal.CreditRequestStatus
			if err := tx.QueryRow(ctx, query("desk_request_status"), args{"request_no": requestNo}).Scan(&now); err != nil {
				return notFound(refusal(err), noRequest)
			}
			if now != d.From {
				return portal.Errorf(portal.CodeConflict, "Somebody else has moved this request meanwhile. Look at it again.")
			}
		}
		if err := sameRequest(ctx, tx, requestNo, d.Shown); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, query("desk_request_decide"),
			args{"request_no": requestNo, "line_nos": lineNos, "qtys": texts, "notes": notes, "reason": d.Reason}).Scan(&to)
		return atLine(err)
	})
	if err != nil {
		return "", fmt.Errorf("decide request %q: %w", requestNo, err)
	}
	return to, nil
}

// IssueMemo implements portal.ReturnDesk.
func (s *ReturnDesk) IssueMemo(ctx context.Context, who portal.Session, requestNo, memoNo,
	shown string) (string, error) {
	var made string
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if err := sameRequest(ctx, tx, requestNo, shown, portal.CreditCredited); err != nil {
			return err
		}
		return tx.QueryRow(ctx, query("desk_request_memo"), args{"request_no": requestNo, "memo_no": memoNo}).Scan(&made)
	})
	if err != nil {
		return "", fmt.Errorf("issue memo of request %q: %w", requestNo, err)
	}
	return made, nil
}
