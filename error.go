package portal

import (
	"errors"
	"fmt"
)

// Code says what went wrong in terms that a page, a JSON answer and a test
// share. http maps each to a status.
type Code string

const (
	CodeInvalid      Code = "invalid"       // 422: a field needs another value
	CodeConflict     Code = "conflict"      // 409: the state of the document forbids it
	CodeForbidden    Code = "forbidden"     // 403: this login may not do that
	CodeNotFound     Code = "not_found"     // 404: does not exist, or is not theirs
	CodeUnauthorized Code = "unauthorized"  // 401: log in first
	CodeFactor       Code = "second_factor" // 401: the session waits for its second factor
	CodeConfirm      Code = "confirm"       // 403: prove again who you are, then send the same again
	CodeTooMany      Code = "too_many"      // 429: wait
	CodeInternal     Code = "internal"      // 500: ours; details go to the log only
)

// ErrCursorTooOld is returned by EventLog.Since when a gap cannot be replayed.
var ErrCursorTooOld = errors.New("cursor is older than the event log")

// Error is an error in the visitor's words. Message and the messages of Fields
// are shown as they are; Err goes to the log and never to the visitor.
type Error struct {
	Code    Code
	Message string
	Fields  []FieldError
	Err     error
	// Shown is for a form whose page showed other figures (Figures.Compare): what
	// it carries in the field "shown" once its reader has read the message.
	Shown string
	// Needs are the duties one of which who asked would have to have.
	Needs []Duty
}

// FieldError belongs at one field of a form. Field is the form's name for it
// (snake_case, the column's name), Line the line of a list it belongs to, from
// 1; 0 where the form has only one.
type FieldError struct {
	Field   string `json:"field"`
	Line    int    `json:"line,omitempty"`
	Message string `json:"message"`
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an error with a code and a message for the visitor.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes an error that belongs at one field.
func Invalid(field, format string, args ...any) *Error {
	msg := fmt.Sprintf(format, args...)
	return &Error{Code: CodeInvalid, Message: msg, Fields: []FieldError{{Field: field, Message: msg}}}
}

// ErrorCode returns the code of the first *Error in err's chain, CodeInternal
// for any other error, and "" for nil.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// ErrorMessage returns what the visitor may read of err.
func ErrorMessage(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Code != CodeInternal {
		return e.Message
	}
	return "Something went wrong on our side. Nothing was changed."
}

// DutiesNeeded are the duties one of which would have been needed, where that is why
// err refused.
func DutiesNeeded(err error) []Duty {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Needs
	}
	return nil
}
