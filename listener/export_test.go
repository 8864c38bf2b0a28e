package listener

import "time"

// Counting makes a node change its mind sooner than in earnest.
func (c Config) Counting(wake, sleep time.Duration) Config {
	c.wakeWindow, c.sleepWindow = wake, sleep
	return c
}
