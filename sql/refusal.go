package sql

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal"
)

// Our functions and triggers refuse with a SQLSTATE of class PT whose last
// three characters are the HTTP status, a message in the visitor's words, and
// the field in COLUMN.
var refusals = map[string]portal.Code{
	"PT401": portal.CodeUnauthorized,
	"PT403": portal.CodeForbidden,
	"PT404": portal.CodeNotFound,
	"PT409": portal.CodeConflict,
	"PT422": portal.CodeInvalid,
	"PT429": portal.CodeTooMany,
}

// constraintWords says what a violated constraint means to the person at the
// form: the field it belongs at, and the message.
var constraintWords = map[string]struct{ field, message string }{
	"item_prices":                {"price_a", "A price cannot be negative."},
	"stock_on_hand_not_negative": {"on_hand", "There cannot be less than none on hand."},
	"sales_order_rejected_has_reason": {"reason",
		"Say why: the customer reads it."},
	"route_code_key":          {"code", "There is a route with this code already."},
	"route_holiday_key":       {"holiday", "That day is a holiday of this route already."},
	"route_holiday_all_key":   {"holiday", "That day is a holiday of all routes already."},
	"standing_order_name_key": {"name", "There is a standing order of that name already."},
	"item_list_name_key":      {"name", "There is a list of that name already."},
	"cart_line_qty":           {"qty", "The quantity must be above zero."},
	"price_group_category_fk": {"category_id", "Choose a category of the list."},
	"login_email_key":         {"email", "There is a log-in with this e-mail already."},
	"cart_ship_to_fk":         {"ship_to", "Choose one of your ship-to addresses."},
	"invoice_open_amount":     {"amount", "More than is open on the invoice: somebody may have applied to it just now."},
	"payment_open_amount":     {"amount", "More than is left of the payment: somebody may have applied it just now."},
	"credit_memo_open_amount": {"amount", "More than is left of the credit memo: somebody may have applied it just now."},
	"payment_reversed":        {"reversed_on", "A payment comes back on the day it came in, or later."},
	"invoice_due_date":        {"due_date", "An invoice cannot be due before its date."},
}

// tooLong are the words for a constraint on the length of a text or on a day
// within reason; nil for any other.
func tooLong(constraint string) *portal.Error {
	for _, c := range portal.TextColumns {
		if c.Constraint() == constraint {
			return portal.Invalid(c.Field, "At most %d characters.", c.Max)
		}
	}
	for column, field := range dayFields {
		if strings.HasSuffix(constraint, "_"+column+"_within_reason") {
			return portal.Invalid(field, "%s", portal.DayWords)
		}
	}
	return nil
}

// dayFields are the forms' names of the columns with days.
var dayFields = map[string]string{"requested_date": "requested_date", "invoice_date": "invoice_date",
	"due_date": "due_date", "payment_date": "payment_date", "memo_date": "memo_date", "expected_on": "expected_on",
	"starts_on": "starts_on", "ends_on": "ends_on", "period_from": "from", "period_to": "to", "valid": "valid_from"}

// refusal turns what the database refuses into a portal.Error. Anything else
// comes back as it is.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*portal.Error](err); ok {
		return err // has its words already
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return &portal.Error{Code: portal.CodeNotFound, Message: "There is no such document.", Err: err}
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	if code, ok := refusals[pg.Code]; ok {
		if pg.ConstraintName == "not_confirmed" { // the page asks for the proof, and goes on
			code = portal.CodeConfirm
		}
		e := &portal.Error{Code: code, Message: pg.Message, Err: err}
		if pg.ConstraintName == "duty_needed" {
			for duty := range strings.SplitSeq(pg.Detail, ",") {
				e.Needs = append(e.Needs, portal.Duty(duty))
			}
		}
		if pg.ColumnName != "" {
			e.Fields = []portal.FieldError{{Field: pg.ColumnName, Message: pg.Message}}
		}
		return e
	}
	if e := tooLong(pg.ConstraintName); e != nil {
		e.Err = err
		return e
	}
	if pg.Code == "23514" && pg.TableName == "web_access" { // the check of a switch
		e := portal.Invalid(strings.TrimPrefix(pg.ConstraintName, "web_access_"), "Web Access does not take this value.")
		e.Err = err
		return e
	}
	if words, ok := constraintWords[pg.ConstraintName]; ok {
		e := portal.Invalid(words.field, "%s", words.message)
		e.Err = err
		return e
	}
	if pg.Code == "25006" { // a preview's transaction only reads
		return &portal.Error{Code: portal.CodeForbidden, Message: portal.PreviewOnly, Err: err}
	}
	if inTheWay(err) { // again and again: see inTx
		return &portal.Error{Code: portal.CodeConflict,
			Message: "Somebody else changed the same thing just now. Please try again.", Err: err}
	}
	return err
}
