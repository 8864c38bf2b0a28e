package sql_test

import (
	"bytes"
	"os"
	"testing"

	"portal.example/portal/internal/pgtest"
	"portal.example/portal/jobs"
	"portal.example/portal/sql"
)

// sql/wall.jsonl is what a freshly migrated database has of rights, policies,
// functions and triggers. After a change of any of them: make schema.
func TestWallManifest(t *testing.T) {
	t.Parallel()
	db := pgtest.Empty(t)
	if err := (sql.Migration{URL: db.URL, Steps: []sql.Step{jobs.Migrate}, Unchecked: true}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := sql.WriteWall(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE_WALL") != "" {
		if err := os.WriteFile("wall.jsonl", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("wall.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("wall.jsonl is not what the migrations result in; run make schema and read the difference.\nFirst "+
			"difference: %s", firstDifference(string(got), string(want)))
	}
}
