package sql

import "portal.example/portal"

// cutPage cuts rows, read with one more than a page has, to the page, and returns
// where the next begins: the cursor of the last row, or "" where there is none.
func cutPage[T any](rows []T, cursor func(last T) string) (page []T, next string) {
	if len(rows) <= portal.PageSize {
		return rows, ""
	}
	page = rows[:portal.PageSize]
	return page, cursor(page[len(page)-1])
}
