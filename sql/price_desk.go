package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/shopspring/decimal"

	"portal.example/portal"
)

// CustomerPrices implements portal.PriceDesk.
func (s *PriceDesk) CustomerPrices(ctx context.Context, who portal.Session, customerNo string,
	f portal.RuleFilter) (portal.CustomerPrices, error) {
	var out portal.CustomerPrices
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		a, err := ruleArgs(f)
		if err != nil {
			return err
		}
		a["customer_no"] = customerNo
		rows, _ := tx.Query(ctx, query("price_customer"), a)
		if out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.CustomerPrices]); err != nil {
			return noRow(err, "There is no such customer.")
		}
		rows, _ = tx.Query(ctx, query("price_customer_contracts"), a)
		if out.Contracts, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.PriceContract]); err != nil {
			return fmt.Errorf("contracts: %w", err)
		}
		out.Contracts, out.Next = cutContracts(out.Contracts, func(c portal.PriceContract) string { return c.ItemNo })
		rows, _ = tx.Query(ctx, query("price_groups"), a)
		if out.Groups, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.PriceGroup]); err != nil {
			return fmt.Errorf("groups: %w", err)
		}
		rows, _ = tx.Query(ctx, query("price_categories"))
		if out.Categories, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.CategoryChoice]); err != nil {
			return fmt.Errorf("categories: %w", err)
		}
		a["row_limit"] = deskAudits
		rows, _ = tx.Query(ctx, query("price_customer_audit"), a)
		if out.Audit, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.PriceAudit]); err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		return nil
	})
	if err != nil {
		return portal.CustomerPrices{}, fmt.Errorf("prices of customer %q: %w", customerNo, err)
	}
	return out, nil
}

// ItemPrices implements portal.PriceDesk.
func (s *PriceDesk) ItemPrices(ctx context.Context, who portal.Session, itemNo string,
	f portal.RuleFilter) (portal.ItemPrices, error) {
	var out portal.ItemPrices
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		a, err := ruleArgs(f)
		if err != nil {
			return err
		}
		a["item_no"] = itemNo
		rows, _ := tx.Query(ctx, query("price_item"), a)
		if out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.ItemPrices]); err != nil {
			return noRow(err, "There is no such item.")
		}
		rows, _ = tx.Query(ctx, query("price_breaks"), a)
		if out.Breaks, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.PriceBreak]); err != nil {
			return fmt.Errorf("breaks: %w", err)
		}
		rows, _ = tx.Query(ctx, query("price_item_contracts"), a)
		if out.Contracts, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.PriceContract]); err != nil {
			return fmt.Errorf("contracts: %w", err)
		}
		out.Contracts, out.Next = cutContracts(out.Contracts, func(c portal.PriceContract) string { return c.CustomerNo })
		a["row_limit"] = deskAudits
		rows, _ = tx.Query(ctx, query("price_item_audit"), a)
		if out.Audit, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.PriceAudit]); err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		return nil
	})
	if err != nil {
		return portal.ItemPrices{}, fmt.Errorf("prices of item %q: %w", itemNo, err)
	}
	return out, nil
}

// noRow gives a missing row its words, inside the transaction.
func noRow(err error, words string) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return portal.Errorf(portal.CodeNotFound, "%s", words)
	}
	return err
}

// contractCursor is the last contract of a page: the number it is sorted by,
// then its own.
type contractCursor struct {
	No string        `json:"no"`
	ID portal.RuleID `json:"id"`
}

func ruleArgs(f portal.RuleFilter) (args, error) {
	words := []string{}
	for _, w := range strings.Fields(f.Query) {
		words = append(words, "%"+likePart(w)+"%")
	}
	var after contractCursor
	if f.After != "" {
		if err := json.Unmarshal([]byte(f.After), &after); err != nil {
			return nil, portal.Errorf(portal.CodeInvalid, "This page's address is damaged: go back to the first page.")
		}
	}
	return args{"query": strings.TrimSpace(f.Query), "prefix": likePrefix(strings.TrimSpace(f.Query)), "words": words,
		"all": f.All, "after_no": after.No, "after_id": int64(after.ID), "row_limit": portal.PageSize + 1}, nil
}

// cutContracts takes off the row that says there are more.
func cutContracts(list []portal.PriceContract, no func(portal.PriceContract) string) ([]portal.PriceContract, string) {
	return cutPage(list, func(last portal.PriceContract) string {
		next, err := json.Marshal(contractCursor{no(last), last.ID})
		if err != nil {
			return ""
		}
		return string(next)
	})
}

// Contract implements portal.PriceDesk.
func (s *PriceDesk) Contract(ctx context.Context, who portal.Session, customerNo string,
	id portal.RuleID) (portal.PriceContract, error) {
	var out portal.PriceContract
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("price_contract"), args{"customer_no": customerNo, "rule_id": int64(id)})
		var err error
		out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.PriceContract])
		return noRow(err, "That contract is gone: somebody has removed it.")
	})
	if err != nil {
		return portal.PriceContract{}, fmt.Errorf("contract %d of customer %q: %w", id, customerNo, err)
	}
	return out, nil
}

// SaveContract implements portal.PriceDesk.
func (s *PriceDesk) SaveContract(ctx context.Context, who portal.Session, customerNo string,
	edit portal.ContractEdit) error {
	change, err := edit.Change()
	if err != nil {
		return err
	}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		a, err := customerRule(ctx, tx, customerNo, edit.ID, change)
		if err != nil {
			return err
		}
		if err := sameRule(ctx, tx, portal.RuleContract, customerNo, edit.ID, edit.Shown, edit.Figures(),
			portal.SaveOver); err != nil {
			return err
		}
		units, err := itemUnits(ctx, tx, a, strings.TrimSpace(edit.ItemNo))
		if err != nil {
			return err
		}
		if change.UOM != nil && !slices.Contains(units, *change.UOM) {
			return portal.Invalid("uom", "%s is sold by %s.", strings.TrimSpace(edit.ItemNo), strings.Join(units, ", "))
		}
		a["uom"], a["min_qty"] = change.UOM, change.MinQty.Decimal
		return saveRule(ctx, tx, "contract", edit.ID, a)
	})
	if err != nil {
		return fmt.Errorf("save contract %d of customer %q: %w", edit.ID, customerNo, err)
	}
	return nil
}

// SaveGroup implements portal.PriceDesk.
func (s *PriceDesk) SaveGroup(ctx context.Context, who portal.Session, customerNo string, edit portal.GroupEdit) error {
	change, err := edit.Change()
	if err != nil {
		return err
	}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		a, err := customerRule(ctx, tx, customerNo, edit.ID, change)
		if err != nil {
			return err
		}
		if err := sameRule(ctx, tx, portal.RuleGroup, customerNo, edit.ID, edit.Shown, edit.Figures(),
			portal.SaveOver); err != nil {
			return err
		}
		a["category_id"] = int64(edit.CategoryID)
		return saveRule(ctx, tx, "group", edit.ID, a)
	})
	if err != nil {
		return fmt.Errorf("save group %d of customer %q: %w", edit.ID, customerNo, err)
	}
	return nil
}

// customerRule begins the arguments of a customer's rule.
func customerRule(ctx context.Context, tx pgx.Tx, customerNo string, id portal.RuleID,
	c portal.RuleChange) (args, error) {
	a := args{"customer_no": customerNo, "rule_id": int64(id), "kind": c.Kind, "value": c.Value.Decimal,
		"from": c.From, "to": c.To}
	var customer portal.CustomerID
	if err := tx.QueryRow(ctx, query("price_customer_id"), a).Scan(&customer); err != nil {
		return nil, noRow(err, "There is no such customer.")
	}
	a["customer_id"] = int64(customer)
	return a, nil
}

// itemUnits adds the item to the arguments and returns the units it is sold in.
func itemUnits(ctx context.Context, tx pgx.Tx, a args, itemNo string) ([]string, error) {
	var item portal.ItemID
	var units []string
	err := tx.QueryRow(ctx, query("price_units"), args{"item_no": itemNo}).Scan(&item, &units)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, portal.Invalid("item_no", "There is no item %s.", itemNo)
	}
	a["item_id"] = int64(item)
	return units, err
}

// SaveBreak implements portal.PriceDesk. The item's row is held, so that
// two people cannot each add a break that the other's overlaps.
func (s *PriceDesk) SaveBreak(ctx context.Context, who portal.Session, itemNo string, edit portal.BreakEdit) error {
	change, err := edit.Change()
	if err != nil {
		return err
	}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		var item portal.ItemID
		if err := tx.QueryRow(ctx, query("desk_item_lock"), args{"item_no": itemNo}).Scan(&item); err != nil {
			return noRow(err, "There is no such item.")
		}
		if err := sameRule(ctx, tx, portal.RuleBreak, itemNo, edit.ID, edit.Shown, edit.Figures(),
			portal.SaveOver); err != nil {
			return err
		}
		a := args{"item_id": int64(item), "rule_id": int64(edit.ID), "min_qty": change.MinQty.Decimal, "price": change.Value,
			"use_level": change.UseLevel, "levels": change.Levels, "from": change.From, "to": change.To}
		type other struct {
			Words string
			portal.RuleDates
		}
		rows, _ := tx.Query(ctx, query("price_break_in_the_way"), a)
		switch o, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[other]); {
		case err == nil:
			return overlap("break", o.Words, o.RuleDates)
		case !errors.Is(err, pgx.ErrNoRows):
			return err
		}
		return writeRule(ctx, tx, "break", edit.ID, a)
	})
	if err != nil {
		return fmt.Errorf("save break %d of item %q: %w", edit.ID, itemNo, err)
	}
	return nil
}

// saveRule writes a rule whose overlaps an exclusion constraint refuses, and
// then says which rule is in the way.
func saveRule(ctx context.Context, tx pgx.Tx, kind string, id portal.RuleID, a args) error {
	err := pgx.BeginFunc(ctx, tx, func(sub pgx.Tx) error { return writeRule(ctx, sub, kind, id, a) })
	if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.ConstraintName != "price_"+kind+"_no_overlap" {
		return err
	}
	type other struct {
		Kind  string
		Value portal.Price
		portal.RuleDates
	}
	rows, _ := tx.Query(ctx, query("price_"+kind+"_in_the_way"), a)
	o, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[other])
	if errors.Is(err, pgx.ErrNoRows) {
		return portal.Errorf(portal.CodeConflict, "Somebody else changed the same rules just now. Please try again.")
	}
	if err != nil {
		return err
	}
	name := kind
	if kind == "group" {
		name = "rule"
	}
	return overlap(name, portal.RuleWords(o.Kind, o.Value), o.RuleDates)
}

func overlap(name, words string, d portal.RuleDates) error {
	return portal.Invalid("valid_from", "This overlaps the %s of %s at %s.", name,
		strings.TrimPrefix(d.Words(), "on "), words)
}

func writeRule(ctx context.Context, tx pgx.Tx, kind string, id portal.RuleID, a args) error {
	statement := "price_save_" + kind
	if id == 0 {
		statement = "price_add_" + kind
	}
	tag, err := tx.Exec(ctx, query(statement), a)
	if err == nil && tag.RowsAffected() == 0 {
		return ruleGone()
	}
	return err
}

func ruleGone() error {
	return portal.Errorf(portal.CodeConflict, "That rule is gone: somebody has removed it.")
}

// ruleStatement is the statement of a kind of rule; the kind comes from an
// address.
func ruleStatement(verb string, kind portal.RuleKind) (string, error) {
	switch kind {
	case portal.RuleContract, portal.RuleGroup, portal.RuleBreak:
		return query("price_" + verb + "_" + string(kind)), nil
	}
	return "", portal.Errorf(portal.CodeNotFound, "There is no such rule.")
}

// sameRule holds a rule and refuses where it is not the one that the page of a
// form showed. A new rule, and a form that carries nothing, are not compared.
func sameRule(ctx context.Context, tx pgx.Tx, kind portal.RuleKind, owner string, id portal.RuleID, shown string,
	typed portal.Figures, then string) error {
	if id == 0 || shown == "" {
		return nil
	}
	text, err := ruleStatement("hold", kind)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, text, args{"owner": owner, "rule_id": int64(id)})
	if err != nil {
		return err
	}
	var now portal.Figures
	switch kind {
	case portal.RuleContract:
		var c portal.PriceContract
		c, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.PriceContract])
		now = c.Typed().Figures()
	case portal.RuleGroup:
		var g portal.PriceGroup
		g, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.PriceGroup])
		now = g.Typed().Figures()
	default:
		var b portal.PriceBreak
		b, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.PriceBreak])
		now = b.Typed().Figures()
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return ruleGone()
	}
	if err != nil {
		return err
	}
	return now.Compare(shown, typed, then)
}

// EndRule implements portal.PriceDesk.
func (s *PriceDesk) EndRule(ctx context.Context, who portal.Session, kind portal.RuleKind, owner string,
	id portal.RuleID, shown string) (gone bool, err error) {
	text, err := ruleStatement("end", kind)
	if err != nil {
		return false, err
	}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if err := sameRule(ctx, tx, kind, owner, id, shown, nil, portal.LookAgain); err != nil {
			return err
		}
		var ended bool
		if err := tx.QueryRow(ctx, text, args{"owner": owner, "rule_id": int64(id)}).Scan(&gone, &ended); err != nil {
			return err
		}
		if !gone && !ended {
			return portal.Errorf(portal.CodeConflict, "That rule has ended already, or somebody has removed it.")
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("end %s %d of %q: %w", kind, id, owner, err)
	}
	return gone, nil
}

// DeleteRule implements portal.PriceDesk.
func (s *PriceDesk) DeleteRule(ctx context.Context, who portal.Session, kind portal.RuleKind, owner string,
	id portal.RuleID, shown string) error {
	text, err := ruleStatement("delete", kind)
	if err != nil {
		return err
	}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if err := sameRule(ctx, tx, kind, owner, id, shown, nil, portal.LookAgain); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, text, args{"owner": owner, "rule_id": int64(id)})
		if err == nil && tag.RowsAffected() == 0 {
			return ruleGone()
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("delete %s %d of %q: %w", kind, id, owner, err)
	}
	return nil
}

// Why implements portal.PriceDesk.
func (s *PriceDesk) Why(ctx context.Context, who portal.Session, ask portal.WhyAsk) (portal.Why, error) {
	var out portal.Why
	customerNo, itemNo := strings.TrimSpace(ask.CustomerNo), strings.TrimSpace(ask.ItemNo)
	a := args{"customer_no": customerNo, "item_no": itemNo, "uom": (*string)(nil), "qty": decimal.NewFromInt(1),
		"date": (*time.Time)(nil)}
	if ask.Qty != "" {
		q, problem := portal.ReadQty(ask.Qty).Number()
		if problem != "" {
			return out, portal.Invalid("qty", "%s", problem)
		}
		a["qty"] = q.Decimal
	}
	if ask.Date != "" {
		d, err := time.Parse(time.DateOnly, ask.Date)
		if err != nil || !portal.DayWithinReason(d) {
			return out, portal.Invalid("date", "Write the date as 2026-06-30.")
		}
		a["date"] = d
	}
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		var customer portal.CustomerID
		switch err := tx.QueryRow(ctx, query("price_customer_id"), a).Scan(&customer); {
		case errors.Is(err, pgx.ErrNoRows):
			return portal.Invalid("customer", "There is no customer %s.", customerNo)
		case err != nil:
			return err
		}
		units, err := itemUnits(ctx, tx, args{}, itemNo)
		if e, ok := errors.AsType[*portal.Error](err); ok && len(e.Fields) == 1 {
			return portal.Invalid("item", "%s", e.Message)
		}
		if err != nil {
			return err
		}
		if uom := strings.TrimSpace(ask.UOM); uom != "" {
			if !slices.Contains(units, uom) {
				return portal.Invalid("uom", "%s is sold by %s.", itemNo, strings.Join(units, ", "))
			}
			a["uom"] = &uom
		}
		rows, _ := tx.Query(ctx, query("price_why_ask"), a)
		if out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.Why]); err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, query("price_why"), a)
		out.Reasons, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.WhyReason])
		return err
	})
	if err != nil {
		return portal.Why{}, fmt.Errorf("why the price of %q for %q: %w", itemNo, customerNo, err)
	}
	return out, nil
}
