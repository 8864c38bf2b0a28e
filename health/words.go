package health

import (
	"fmt"
	"math"
	"time"
)

// Bytes is an amount of data in words. Here and below figures and units do not
// part at a line's end.
func Bytes(n int64) string {
	v, unit := float64(n), ""
	for _, u := range []string{"KB", "MB", "GB", "TB"} {
		if v < 1024 {
			break
		}
		v, unit = v/1024, u
	}
	switch {
	case unit == "":
		return fmt.Sprintf("%d\u00a0B", n)
	case v < 10:
		return fmt.Sprintf("%.1f\u00a0%s", v, unit)
	}
	return fmt.Sprintf("%.0f\u00a0%s", v, unit)
}

// count writes a number with its thousands apart.
func count(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func perSecond(v float64) string {
	if v < 10 {
		return fmt.Sprintf("%.1f/s", v)
	}
	return count(int64(math.Round(v))) + "/s"
}

// short is a time as engineers write it: 0.8 ms, 42 ms, 1.2 s.
func short(d time.Duration) string {
	switch ms := d.Seconds() * 1000; {
	case ms < 10:
		return fmt.Sprintf("%.1f\u00a0ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f\u00a0ms", ms)
	}
	return fmt.Sprintf("%.1f\u00a0s", d.Seconds())
}

// inWords is a length of time as one says it: 12 s, 5 min, 3 hours.
func inWords(seconds float64) string {
	switch {
	case seconds < 90:
		return fmt.Sprintf("%.0f\u00a0s", math.Max(seconds, 0))
	case seconds < 90*60:
		return fmt.Sprintf("%.0f\u00a0min", seconds/60)
	case seconds < 48*3600:
		return fmt.Sprintf("%.0f\u00a0hours", seconds/3600)
	}
	return fmt.Sprintf("%.0f\u00a0days", seconds/86400)
}
