package sql

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portal.example/portal"
)

// deskPlaces is how many customers and ship-tos a route's page lists.
const deskPlaces = 200

// Routes implements portal.RouteDesk.
func (s *RouteDesk) Routes(ctx context.Context, who portal.Session) (portal.DeskRoutes, error) {
	var out portal.DeskRoutes
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		var err error
		if out.Routes, err = routeRows(ctx, tx, ""); err != nil {
			return err
		}
		out.Holidays, err = holidayRows(ctx, tx, 0)
		return err
	})
	if err != nil {
		return portal.DeskRoutes{}, fmt.Errorf("desk routes: %w", err)
	}
	return out, nil
}

func routeRows(ctx context.Context, tx pgx.Tx, code string) ([]portal.Route, error) {
	rows, _ := tx.Query(ctx, query("desk_routes"), args{"code": code})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[portal.Route])
	if err != nil {
		return nil, fmt.Errorf("routes: %w", err)
	}
	return list, nil
}

func holidayRows(ctx context.Context, tx pgx.Tx, id portal.RouteID) ([]portal.RouteHoliday, error) {
	rows, _ := tx.Query(ctx, query("desk_holidays"), args{"route_id": id})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[portal.RouteHoliday])
	if err != nil {
		return nil, fmt.Errorf("holidays: %w", err)
	}
	return list, nil
}

// Route implements portal.RouteDesk.
func (s *RouteDesk) Route(ctx context.Context, who portal.Session, code string) (portal.DeskRoute, error) {
	var out portal.DeskRoute
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		list, err := routeRows(ctx, tx, code)
		if err != nil {
			return err
		}
		if code == "" || len(list) == 0 {
			return portal.Errorf(portal.CodeNotFound, "There is no such route.")
		}
		out.Route = list[0]
		a := args{"route_id": out.ID, "row_limit": deskPlaces + 1}
		rows, _ := tx.Query(ctx, query("desk_route_days"), a)
		if out.Days, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.RouteDay]); err != nil {
			return fmt.Errorf("days: %w", err)
		}
		rows, _ = tx.Query(ctx, query("desk_route_runs"), a)
		if out.Runs, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.RouteRun]); err != nil {
			return fmt.Errorf("runs: %w", err)
		}
		if out.Holidays, err = holidayRows(ctx, tx, out.ID); err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, query("desk_route_places"), a)
		if out.RoutedTo, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.RoutePlace]); err != nil {
			return fmt.Errorf("places: %w", err)
		}
		return tx.QueryRow(ctx, query("now")).Scan(&out.Now)
	})
	if err != nil {
		return portal.DeskRoute{}, fmt.Errorf("desk route %q: %w", code, err)
	}
	if out.MorePlace = len(out.RoutedTo) > deskPlaces; out.MorePlace {
		out.RoutedTo = out.RoutedTo[:deskPlaces]
	}
	return out, nil
}

// SaveRoute implements portal.RouteDesk.
func (s *RouteDesk) SaveRoute(ctx context.Context, who portal.Session, code string,
	edit portal.RouteEdit) (string, error) {
	c, err := edit.Change()
	if err != nil {
		return "", err
	}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		a := args{"code": code, "new_code": c.Code, "name": c.Name, "active": c.Active, "every_days": c.EveryDays,
			"start_date": c.StartDate, "cutoff_days": c.CutoffDays, "cutoff_time": c.CutoffTime}
		change := "route_update"
		if code == "" {
			change = "route_insert"
		}
		if err := sameRoute(ctx, tx, code, edit); err != nil {
			return err
		}
		var id portal.RouteID
		if err := tx.QueryRow(ctx, query(change), a).Scan(&id); err != nil {
			return notFound(refusal(err), "There is no such route.")
		}
		weekdays, days, times := []int{}, []*int{}, []*string{}
		for _, d := range c.Days {
			weekdays, days, times = append(weekdays, d.Weekday), append(days, d.CutoffDays), append(times, d.CutoffTime)
		}
		_, err := tx.Exec(ctx, query("route_set_days"),
			args{"route_id": id, "weekdays": weekdays, "days": days, "times": times})
		return err
	})
	if err != nil {
		return "", fmt.Errorf("save route %q: %w", code, err)
	}
	return c.Code, nil
}

// sameRoute holds a route and refuses where it is not the one that the page of
// the form showed. A new one is not compared.
func sameRoute(ctx context.Context, tx pgx.Tx, code string, edit portal.RouteEdit) error {
	if code == "" || edit.Shown == "" {
		return nil
	}
	a := args{"code": code}
	var now portal.DeskRoute
	if err := tx.QueryRow(ctx, query("route_lock"), a).Scan(&now.ID); err != nil {
		return notFound(refusal(err), "There is no such route.")
	}
	list, err := routeRows(ctx, tx, code)
	if err != nil || len(list) == 0 {
		return err
	}
	now.Route = list[0]
	a["route_id"] = now.ID
	rows, _ := tx.Query(ctx, query("route_days_held"), a)
	if now.Days, err = pgx.CollectRows(rows, pgx.RowToStructByName[portal.RouteDay]); err != nil {
		return err
	}
	return now.Typed().Figures().Compare(edit.Shown, edit.Figures(), portal.SaveOver)
}

// AddHoliday implements portal.RouteDesk.
func (s *RouteDesk) AddHoliday(ctx context.Context, who portal.Session, code string, edit portal.HolidayEdit) error {
	h, err := edit.Change()
	if err != nil {
		return err
	}
	err = s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		return oneRow(tx.Exec(ctx, query("holiday_add"), args{"code": code, "day": h.Day, "replacement": h.Replacement,
			"name": h.Name, "cutoff_days": h.CutoffDays, "cutoff_time": h.CutoffTime}))("There is no such route.")
	})
	if err != nil {
		return fmt.Errorf("add holiday of route %q: %w", code, err)
	}
	return nil
}

// DeleteHoliday implements portal.RouteDesk.
func (s *RouteDesk) DeleteHoliday(ctx context.Context, who portal.Session, id portal.HolidayID, shown string) error {
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		if shown != "" {
			rows, _ := tx.Query(ctx, query("holiday_held"), args{"holiday_id": id})
			now, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[portal.RouteHoliday])
			if err != nil {
				return noRow(err, "There is no such holiday.")
			}
			if err := now.Figures().Compare(shown, nil, portal.LookAgain); err != nil {
				return err
			}
		}
		return oneRow(tx.Exec(ctx, query("holiday_delete"), args{"holiday_id": id}))("There is no such holiday.")
	})
	if err != nil {
		return fmt.Errorf("delete holiday %d: %w", id, err)
	}
	return nil
}

// CustomerRouting implements portal.RouteDesk.
func (s *RouteDesk) CustomerRouting(ctx context.Context, who portal.Session,
	customerNo string) (portal.CustomerRouting, error) {
	type place struct {
		portal.RoutedPlace
		DeliveryRoute *string
		DeliveryDate  *time.Time
		Cutoff        *time.Time
		Now           time.Time
	}
	var out portal.CustomerRouting
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query("customer_routing"), args{"customer_no": customerNo})
		places, err := pgx.CollectRows(rows, pgx.RowToStructByName[place])
		if err != nil {
			return fmt.Errorf("places: %w", err)
		}
		for _, p := range places {
			if p.DeliveryDate != nil {
				p.Delivery = &portal.Delivery{Route: *p.DeliveryRoute, Date: *p.DeliveryDate, Cutoff: *p.Cutoff, Now: p.Now}
			}
			out.Places = append(out.Places, p.RoutedPlace)
		}
		out.Routes, err = routeRows(ctx, tx, "")
		return err
	})
	if err != nil {
		return portal.CustomerRouting{}, fmt.Errorf("routing of customer %q: %w", customerNo, err)
	}
	return out, nil
}

// AssignRoute implements portal.RouteDesk.
func (s *RouteDesk) AssignRoute(ctx context.Context, who portal.Session, customerNo, shipTo, code, shown string) error {
	err := s.db.asStaff(ctx, who, func(tx pgx.Tx) error {
		place, a := "customer", args{"customer_no": customerNo, "ship_to": shipTo, "code": code}
		if shipTo != "" {
			place = "ship_to"
		}
		if shown != "" {
			var now string
			if err := tx.QueryRow(ctx, query(place+"_route_held"), a).Scan(&now); err != nil {
				return notFound(refusal(err), "There is no such customer or ship-to.")
			}
			typed := portal.RouteFigures(code)
			if err := portal.RouteFigures(now).Compare(shown, typed, "Nothing was saved: choose once more."); err != nil {
				return err
			}
		}
		return oneRow(tx.Exec(ctx, query(place+"_set_route"), a))("There is no such customer, ship-to or route.")
	})
	if err != nil {
		return fmt.Errorf("route of customer %q, ship-to %q: %w", customerNo, shipTo, err)
	}
	return nil
}

// oneRow is the error of a statement that should have changed a row, in words
// for where there was none.
func oneRow(tag pgconn.CommandTag, err error) func(words string) error {
	return func(words string) error {
		if err == nil && tag.RowsAffected() == 0 {
			return portal.Errorf(portal.CodeNotFound, "%s", words)
		}
		return err
	}
}
