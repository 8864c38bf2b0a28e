package portal

import "context"

// PreviewOnly is what staff read who try to change something in a preview.
const PreviewOnly = "This is a preview: nothing can be changed here."

// ActingService opens the portal of a customer to staff. Such a session hangs
// on the staff's own: there is one at a time, and it ends with that session,
// with the customer's access, or after an hour.
type ActingService interface {
	// BeginActing is CodeNotFound for an unknown customer, CodeConflict for
	// one that the portal is closed to, CodeForbidden for who is not staff.
	BeginActing(ctx context.Context, staff Session, customerNo string, how Acting) error
	// ActingFor is the session in which staff see the portal of a customer:
	// a buyer's, with Acting and ActingBy set. ok is false where there is
	// none.
	ActingFor(ctx context.Context, staff Session) (acting Session, ok bool, err error)
	// EndActing ends it, and returns whose portal it was, "" where there was
	// none.
	EndActing(ctx context.Context, staff Session) (customerNo string, err error)
}
