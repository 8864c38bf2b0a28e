package portal

import (
	"bytes"
	"encoding/json"
	"time"
)

// AuditData is what changed, by column: [old, new]. Numbers are json.Number, as
// PostgreSQL wrote them: amounts never pass through a float.
type AuditData map[string]any

// UnmarshalJSON implements json.Unmarshaler.
func (d *AuditData) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var data map[string]any
	if err := decoder.Decode(&data); err != nil {
		return err
	}
	*d = data
	return nil
}

// AuditEntry is who changed what, and when. Of a change of Web Access, Data has
// for each column that changed its old and its new value. Subject is what it was
// done to: an item's or an order's number, a category's name.
type AuditEntry struct {
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Program string    `json:"program"`
	Action  string    `json:"action"`
	Subject string    `json:"subject"`
	Data    AuditData `json:"data"`
}
