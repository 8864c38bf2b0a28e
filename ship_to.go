package portal

// ShipTo is an address a customer's goods go to.
type ShipTo struct {
	Code       string `json:"code"`
	Name       string `json:"name"`
	Address1   string `json:"address1"`
	Address2   string `json:"address2"`
	City       string `json:"city"`
	Region     string `json:"region"`
	PostalCode string `json:"postal_code"`
	Country    string `json:"country"`
	RouteName  string `json:"route"` // its own; empty: the account's

	// Delivery is the next run to this address, where a page tells it.
	Delivery *Delivery `json:"next_delivery,omitempty" db:"-"`
}
