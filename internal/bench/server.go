package bench

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// process is the portal that is measured, as it tells about itself; a pid on
// this machine stands in where it does not.
type process struct {
	url   string
	token string // for /metrics; empty where it asks for none
	pid   int    // 0: none
}

// usage is what the process has used so far; zero where that cannot be had.
type usage struct {
	resident int64         // bytes
	cpu      time.Duration // of all threads, since its start
	frames   int64         // written to sockets; 0 where it does not say
}

func (p process) usage(ctx context.Context) usage {
	m := p.metrics(ctx)
	u := usage{resident: int64(m["process_resident_memory_bytes"]),
		cpu:    time.Duration(m["process_cpu_seconds_total"] * float64(time.Second)),
		frames: int64(m["portal_live_frames_total"])}
	if u.resident == 0 {
		u.resident = resident(p.pid)
	}
	if u.cpu == 0 {
		u.cpu = cpuOf(p.pid)
	}
	return u
}

// metrics are those without labels; none where they cannot be read.
func (p process) metrics(ctx context.Context) map[string]float64 {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/metrics", nil)
	if err != nil {
		return nil
	}
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil
	}
	out := map[string]float64{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil {
			out[name] = v
		}
	}
	return out
}

// resident is a process's memory in bytes (Linux), 0 where it cannot be read.
func resident(pid int) int64 {
	if pid == 0 {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb * 1024
		}
	}
	return 0
}

// cpuOf is the time a process has run (Linux), 0 where it cannot be read.
func cpuOf(pid int) time.Duration {
	if pid == 0 {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}
