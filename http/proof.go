package http

import (
	"net/http"
	"strconv"
	"strings"

	"portal.example/portal"
)

// proofPage is what operators see of the price proof.
type proofPage struct {
	portal.Proof
	formErrors
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

func (s *Server) proof(q *request) error { return s.proofPage(q, proofPage{}, nil) }

func (s *Server) proofPage(q *request, page proofPage, refused error) error {
	var err error
	if page.Proof, err = s.Proofs.Proof(q.Context(), q.who); err != nil {
		return err
	}
	page.formErrors = formErrorsOf(refused)
	for i := range page.Fields {
		page.Fields[i].Line = int(page.Refused)
	}
	code := http.StatusOK
	if refused != nil {
		code = status(refused)
	}
	return s.page(q, code, "proof", "Price proof", "proof", page)
}

// runProof enqueues the job. One that waits already is enough.
func (s *Server) runProof(q *request) error {
	var in struct {
		Whole bool `form:"whole"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	added, err := s.Enqueue(q.Context(), portal.PriceProofArgs{Whole: in.Whole})
	if err != nil {
		return err
	}
	if !added {
		return q.done("/ops/proof", "A proof is under way already. It appears here when it is done.")
	}
	return q.done("/ops/proof", "The proof has begun. It appears here when it is done.")
}

func (s *Server) acknowledgeProof(q *request) error {
	var in struct {
		Note string `form:"note"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	id, err := strconv.ParseInt(q.param("difference_id"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.CodeNotFound, "There is no such difference.")
	}
	err = s.Proofs.Acknowledge(q.Context(), q.who, id, strings.TrimSpace(in.Note))
	if portal.ErrorCode(err) == portal.CodeInvalid && !wantsJSON(q.Request) {
		return s.proofPage(q, proofPage{Refused: id, Note: in.Note}, err)
	}
	if err != nil {
		return err
	}
	return q.done("/ops/proof", "Noted.")
}
