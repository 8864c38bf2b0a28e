package page

import (
	"strings"

	"portal.example/portal"
)

// WeekdayNames are by their numbers, 1 Monday … 7 Sunday.
var WeekdayNames = [...]string{1: "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

// runsOn is when a route runs, in words.
func runsOn(r portal.Route) string {
	if r.EveryDays != nil {
		return "every " + Plural(*r.EveryDays, "day", "days")
	}
	names := make([]string, len(r.Weekdays))
	for i, d := range r.Weekdays {
		names[i] = WeekdayNames[d][:3]
	}
	return strings.Join(names, ", ")
}

// cutoffWords is a cutoff before a delivery, in words.
func cutoffWords(days int, at string) string {
	switch days {
	case 0:
		return "the same day at " + at
	case 1:
		return "the day before at " + at
	}
	return Plural(days, "day", "days") + " before at " + at
}

// holidayCutoff is a holiday's own cutoff in words, or "".
func holidayCutoff(h portal.RouteHoliday) string {
	switch {
	case h.CutoffDays != nil && h.CutoffTime != nil:
		return cutoffWords(*h.CutoffDays, *h.CutoffTime)
	case h.CutoffDays != nil:
		return strings.TrimSuffix(cutoffWords(*h.CutoffDays, ""), " at ")
	case h.CutoffTime != nil:
		return "at " + *h.CutoffTime
	}
	return ""
}

// RouteChoices are the routes that a customer can be put on; of an inactive one
// only who is on it already.
func routeChoices(r portal.CustomerRouting, none, on string) []Option {
	out := []Option{{"", none}}
	for _, route := range r.Routes {
		if route.Active || route.Code == on {
			out = append(out, Option{route.Code, route.Code + " · " + route.Name})
		}
	}
	return out
}
