package ops

import (
	"strconv"
	"strings"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// proofPage is what operators see of the price proof.
type proofPage struct {
	portal.Proof
	page.FormErrors
	// what was typed, where a note was refused
	Refused int64  `json:"-"`
	Note    string `json:"-"`
}

// Last is the newest run, nil where there was none.
func (p proofPage) Last() *portal.ProofRun {
	if len(p.Runs) == 0 {
		return nil
	}
	return &p.Runs[0]
}

// Row is a difference with its form.
func (p proofPage) Row(d portal.ProofDifference) proofRow {
	row := proofRow{ProofDifference: d}
	if d.ID == p.Refused {
		row.Note, row.Error = p.Note, p.LineError("note", int(d.ID))
	}
	return row
}

type proofRow struct {
	portal.ProofDifference
	Error string
}

func (c *Counter) ShowProof(q *page.Request) error { return c.proofPage(q, proofPage{}, nil) }

func (c *Counter) proofPage(q *page.Request, view proofPage, refused error) error {
	var err error
	if view.Proof, err = c.Proofs.Proof(q.Context(), q.Who); err != nil {
		return err
	}
	view.FormErrors = page.FormErrorsOf(refused)
	for i := range view.Fields {
		view.Fields[i].Line = int(view.Refused)
	}
	return c.Page(q, page.Status(refused), "ops/proof", "Price proof", "proof", view)
}

// RunProof enqueues the job. One that waits already is enough.
func (c *Counter) RunProof(q *page.Request) error {
	var in struct {
		Whole bool `form:"whole"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	added, err := c.Enqueue(q.Context(), portal.PriceProofArgs{Whole: in.Whole})
	if err != nil {
		return err
	}
	if !added {
		return q.Done("/ops/proof", "A proof is under way already. It appears here when it is done.")
	}
	return q.Done("/ops/proof", "The proof has begun. It appears here when it is done.")
}

func (c *Counter) AcknowledgeProof(q *page.Request) error {
	var in struct {
		Note string `form:"note"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	id, err := strconv.ParseInt(q.Param("difference_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such difference.")
	}
	err = c.Proofs.Acknowledge(q.Context(), q.Who, id, strings.TrimSpace(in.Note))
	if portal.ErrorCode(err) == portal.CodeInvalid && !page.WantsJSON(q.Request) {
		return c.proofPage(q, proofPage{Refused: id, Note: in.Note}, err)
	}
	if err != nil {
		return err
	}
	return q.Done("/ops/proof", "Noted.")
}
