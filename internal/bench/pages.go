package bench

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed scale.sql
var scaleSQL string

// Fill makes a distributor of a given size in an empty, migrated database.
func Fill(ctx context.Context, conn *pgx.Conn, customers, items int) error {
	body := strings.NewReplacer("$1", fmt.Sprint(customers), "$2", fmt.Sprint(items)).Replace(scaleSQL)
	if _, err := conn.Exec(ctx, body); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	if _, err := conn.Exec(ctx, "vacuum analyze"); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	return nil
}

// PagesOptions say what to measure.
type PagesOptions struct {
	URL         string
	DatabaseURL string
	Buyers      int    // at a time, each with a session of its own
	As          string // number of the customer whose log-in asks; empty: buyers made for it
	Rate        int    // requests a second, over all
	Duration    time.Duration
}

// Pages asks for the pages in turn, at a rate, and reports each.
func Pages(ctx context.Context, o PagesOptions, paths []string) (map[string]Latency, error) {
	conn, err := pgx.Connect(ctx, o.DatabaseURL)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var who []person
	if o.As != "" {
		who, err = sessionsOf(ctx, conn, o.As, o.Buyers)
	} else {
		who, err = people(ctx, conn, o.Buyers)
		defer sweep(context.WithoutCancel(ctx), conn)
	}
	if err != nil {
		return nil, err
	}

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: o.Buyers}}
	took := map[string][]time.Duration{}
	var mu sync.Mutex
	var asking sync.WaitGroup
	var failed error
	tick := time.NewTicker(time.Second / time.Duration(o.Rate))
	defer tick.Stop()
	end := time.After(o.Duration)
	for n := 0; ; n++ {
		select {
		case <-end:
			asking.Wait()
			out := map[string]Latency{}
			for path, d := range took {
				out[path] = latency(d)
			}
			return out, failed
		case <-tick.C:
		}
		path, p := paths[n%len(paths)], who[n%len(who)]
		asking.Go(func() {
			start := time.Now()
			err := get(ctx, client, o.URL+path, p.cookie)
			d := time.Since(start)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && failed == nil {
				failed = fmt.Errorf("GET %s: %w", path, err)
			}
			took[path] = append(took[path], d)
		})
	}
}

func get(ctx context.Context, client *http.Client, url, cookie string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Cookie", "portal_session="+cookie+"; __Host-portal_session="+cookie)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
