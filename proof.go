package portal

import (
	"context"
	"time"
)

// Prover proves that prices, documents and ledgers agree.
type Prover interface {
	// Prove runs the price proof: whole looks at everything, otherwise at what
	// came since the last run. It returns what the run looked at; what it found
	// is in OpenDifferences. CodeConflict while another one runs.
	Prove(ctx context.Context, whole bool) (ProofRun, error)
	// SealAudit seals the rows of the audit log that have been committed since
	// the last time, and returns how many. While another node does it, there is
	// nothing to do.
	SealAudit(ctx context.Context) (int, error)
	// OpenDifferences are those that are not mended and not acknowledged, the
	// newest first, at most limit of them.
	OpenDifferences(ctx context.Context, limit int) ([]ProofDifference, error)
}

// ProofService shows proofs to operators.
type ProofService interface {
	// Proof is the page: the last runs and the differences.
	Proof(ctx context.Context, who Session) (Proof, error)
	// Acknowledge says what a difference is: it is then no longer counted,
	// unless its figures change. CodeInvalid at field note without a note.
	Acknowledge(ctx context.Context, who Session, difference int64, note string) error
}

// Proof is what operators see of the price proof.
type Proof struct {
	Runs        []ProofRun        `json:"runs"` // the newest first
	Differences []ProofDifference `json:"differences"`
	// Open counts the differences that nobody has acknowledged; Differences
	// holds the first MaxDifferences.
	Open int `json:"open"`
}

// MaxDifferences is how many differences a page lists.
const MaxDifferences = 200

// ProofRun is one run of the price proof.
type ProofRun struct {
	ID        int64     `json:"run_id"`
	StartedAt time.Time `json:"started_at"`
	StartedBy string    `json:"started_by"`
	Seconds   float64   `json:"seconds"`
	// Whole says that everything was looked at, and not what came since Since.
	Whole        bool       `json:"whole"`
	Since        *time.Time `json:"since,omitempty"`
	OrderLines   int64      `json:"order_lines"`   // against their receipts
	Repriced     int64      `json:"repriced"`      // receipts asked of erp.price again
	InvoiceLines int64      `json:"invoice_lines"` // against the receipts of their order lines
	Documents    int64      `json:"documents"`     // added up
	Customers    int64      `json:"customers"`     // whose ledger was compared
	Found        int64      `json:"found"`         // differences that were open at its end
	// Explained are receipts that erp.price would answer otherwise today,
	// because a rule was changed since.
	Explained int64 `json:"explained"`
	// AuditRows of the audit log were sealed, and AuditHash is where their chain
	// ends, in hexadecimal. Who keeps the two elsewhere can tell whether the
	// whole chain was written anew.
	AuditRows int64  `json:"audit_rows"`
	AuditHash string `json:"audit_hash"`
}

// ProofDifference is one thing that is not as it has to be. Detail has figures:
// it is for staff.
type ProofDifference struct {
	ID             int64      `json:"difference_id"`
	Kind           string     `json:"kind"`
	Subject        string     `json:"subject"` // the document or customer by its number
	LineNo         int        `json:"line_no,omitempty"`
	CustomerNo     string     `json:"customer_no,omitempty"`
	Detail         string     `json:"detail"`
	FoundAt        time.Time  `json:"found_at"`
	AcknowledgedAt *time.Time `json:"acknowledged_at,omitempty"`
	AcknowledgedBy string     `json:"acknowledged_by,omitempty"`
	Note           string     `json:"note,omitempty"`
}

// Word is the kind in people's words.
func (d ProofDifference) Word() string {
	switch d.Kind {
	case "no_receipt":
		return "Order line without a receipt"
	case "order_line":
		return "Order line is not its receipt"
	case "order_price":
		return "Not the customer's price"
	case "repriced":
		return "Receipt is not what the price function gives"
	case "invoice_line":
		return "Invoiced at another price"
	case "invoice_line_total", "order_total", "invoice_total", "memo_total":
		return "Does not add up"
	case "invoice_open", "memo_open", "payment_open":
		return "Open amount is not what is left"
	case "audit_cut":
		return "Row cut out of the audit log"
	case "audit_forged":
		return "Row of the audit log was changed"
	case "audit_late":
		return "Row slipped into the audit log"
	case "audit_chain":
		return "Chain of the audit log is broken"
	case "history_cut", "history_forged", "history_untold":
		return "Status history is not what was written"
	case "balance":
		return "Ledger and aging differ"
	}
	return d.Kind
}

// OnOrder, OnInvoice and OnCustomer say what kind of thing the subject is.
func (d ProofDifference) OnOrder() bool {
	switch d.Kind {
	case "no_receipt", "order_line", "order_price", "repriced", "order_total":
		return true
	}
	return false
}

// OnInvoice reports whether the subject is an invoice.
func (d ProofDifference) OnInvoice() bool {
	switch d.Kind {
	case "invoice_line", "invoice_line_total", "invoice_total", "invoice_open":
		return true
	}
	return false
}

// PriceProofArgs asks for a price proof.
type PriceProofArgs struct {
	// Whole looks at everything; without it, the worker does so once a week.
	Whole bool `json:"whole,omitempty"`
}

// Kind is the job's name in the queue.
func (PriceProofArgs) Kind() string { return "price_proof" }
