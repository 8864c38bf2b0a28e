package listener

import "time"

// Counting makes a node change its mind sooner than in earnest.
func (c Config) Counting(fast, slow time.Duration) Config {
	c.fastWindow, c.slowWindow = fast, slow
	return c
}
