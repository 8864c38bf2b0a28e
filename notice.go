package portal

import (
	"context"
	"time"
)

// NoticeID identifies a notice.
type NoticeID int64

// Notice is something that a customer is told on its pages until one of its
// log-ins puts it away.
type Notice struct {
	ID   NoticeID  `json:"notice_id"`
	At   time.Time `json:"at"`
	Kind string    `json:"kind"` // info, success, warning
	Text string    `json:"text"`
	Link string    `json:"link,omitempty"` // a path of the portal, or empty
}

// NoticeService shows a customer its notices.
type NoticeService interface {
	// Notices are those not put away yet, the newest first.
	Notices(ctx context.Context, who Session) ([]Notice, error)
	// PutAway is CodeNotFound for a notice that is not the customer's.
	PutAway(ctx context.Context, who Session, id NoticeID) error
}
