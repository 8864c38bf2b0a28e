package portal

// Stock is what a customer may know of an item's stock.
type Stock struct {
	Available  *Qty    `json:"available"`   // in base units; nil where figures are hidden
	StockState *string `json:"stock_state"` // in, low, out; nil: hidden altogether
}

// OutOfStock reports whether there is none, as far as the customer may know.
func (s Stock) OutOfStock() bool { return s.StockState != nil && *s.StockState == "out" }
