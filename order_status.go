package portal

// OrderStatus is where an order stands.
type OrderStatus string

const (
	OrderSubmitted OrderStatus = "SUBMITTED"
	OrderApproved  OrderStatus = "APPROVED"
	OrderPicking   OrderStatus = "PICKING"
	OrderShipped   OrderStatus = "SHIPPED"
	OrderDelivered OrderStatus = "DELIVERED"
	OrderOnHold    OrderStatus = "ON_HOLD"
	OrderRejected  OrderStatus = "REJECTED"
	OrderCancelled OrderStatus = "CANCELLED"
)

// OrderSteps are the five steps of an order that goes well.
var OrderSteps = [...]OrderStatus{OrderSubmitted, OrderApproved, OrderPicking, OrderShipped, OrderDelivered}

// OrderStatuses are all of them, as lists show them. They are the rows of erp.order_status,
// and the methods below its columns of the same names: a test compares them.
var OrderStatuses = [...]OrderStatus{OrderSubmitted, OrderOnHold, OrderApproved, OrderPicking, OrderShipped,
	OrderDelivered, OrderRejected, OrderCancelled}

// Open reports whether an order is still on its way: neither delivered nor given up.
// A status that this version does not know is.
func (s OrderStatus) Open() bool {
	return s != OrderDelivered && s != OrderRejected && s != OrderCancelled
}

// Undecided reports whether somebody, or the job, has yet to say what becomes of an order.
func (s OrderStatus) Undecided() bool { return s == OrderSubmitted || s == OrderOnHold }

// Changeable reports whether picking has not begun, so that staff may change quantities.
func (s OrderStatus) Changeable() bool { return s.Undecided() || s == OrderApproved }

// Pickable reports whether the warehouse may pick and ship an order.
func (s OrderStatus) Pickable() bool { return s == OrderApproved || s == OrderPicking }

// Shipped reports whether all of an order has left.
func (s OrderStatus) Shipped() bool { return s == OrderShipped || s == OrderDelivered }
