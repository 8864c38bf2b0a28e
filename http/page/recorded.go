package page

import (
	"net/http"
	"strings"

	"portal.example/portal"
)

// Recorded has it told in the audit log what h hands out or does: which kind of act, of what. It is told before the
// first byte of an answer that succeeds: what cannot be told is not handed out. A refusal is no act.
//
// The subject is the number or id in the address, behind that of the customer; how a list was narrowed stands behind
// its question mark.
func (k *Kit) Recorded(kind portal.ActKind, what string, h Handler) Handler {
	return func(q *Request) error {
		act := portal.Act{Kind: kind, What: what, Asked: q.URL.RawQuery}
		for _, p := range q.params {
			switch p.Key {
			case routeParam:
			case "customer_no":
				act.CustomerNo = q.Param(p.Key)
			default:
				act.Subject = strings.Trim(q.Param(p.Key), "/")
			}
		}
		out := &recordedWriter{ResponseWriter: q.W, record: func() error { return k.Acts.Record(q.Context(), q.Who, act) }}
		q.W = out
		err := h(q)
		q.W = out.ResponseWriter
		if out.err != nil {
			return out.err // nothing was sent
		}
		return err
	}
}

// recordedWriter asks record before an answer that succeeds begins.
type recordedWriter struct {
	http.ResponseWriter
	record func() error
	begun  bool
	err    error // nothing is sent any more
}

func (w *recordedWriter) begin(status int) {
	if !w.begun && status >= http.StatusOK { // 1xx are no answer yet
		w.begun = true
		if status < http.StatusBadRequest {
			w.err = w.record()
		}
		if w.err != nil {
			// what the handler has said of a file that does not come
			w.Header().Del("Content-Disposition")
			w.Header().Del("Content-Length")
		}
	}
}

func (w *recordedWriter) WriteHeader(status int) {
	if w.begin(status); w.err == nil {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *recordedWriter) Write(b []byte) (int, error) {
	if w.begin(http.StatusOK); w.err != nil {
		return 0, w.err
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach what it wraps.
func (w *recordedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Printed notes that a page was printed: its script says so, by a button or by the browser's own menu. Of a page of
// customers that staff have open, it is the customer's.
func (k *Kit) Printed(q *Request) error {
	var in struct {
		Page string `form:"page"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	path, asked, _ := strings.Cut(inside(in.Page), "?")
	if k.IsPage != nil && !k.IsPage(path) {
		return portal.Errorf(portal.CodeNotFound, "There is no such page.")
	}
	who := q.Who
	if who.Staff() && !strings.HasPrefix(path, "/desk") && !strings.HasPrefix(path, "/ops") {
		if customer, ok, err := k.Sessions.ActingFor(q.Context(), who); err != nil {
			return err
		} else if ok {
			customer.Source, who = who.Source, customer
		}
	}
	act := portal.Act{Kind: portal.ActPrint, What: "page", Subject: path, Asked: asked}
	if err := k.Acts.Record(q.Context(), who, act); err != nil {
		return err
	}
	q.W.WriteHeader(http.StatusNoContent)
	return nil
}
