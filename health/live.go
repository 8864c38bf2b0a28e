package health

import "fmt"

func (n Node) liveSigns() []Sign {
	now := n.Last()
	sockets := Sign{
		Key:    "sockets",
		Group:  GroupLive,
		Title:  "Sockets",
		State:  Good,
		Value:  float64(now.Sockets),
		Text:   count(now.Sockets),
		Series: n.series(func(s *Sample) float64 { return float64(s.Sockets) }),
	}
	rates := n.rate(func(s *Sample) float64 { return float64(s.Events) })
	events := Sign{
		Key:    "events",
		Group:  GroupLive,
		Title:  "Events",
		State:  Good,
		Value:  last(rates),
		Text:   perSecond(last(rates)),
		Series: rates,
	}
	resyncs := n.counted("resyncs", "Pages told to reload", limitResyncs,
		func(s *Sample) int64 { return s.Resyncs })
	resyncs.Threshold = "Look from 20, bad from 200 in a quarter of an hour"
	resyncs.Advice = "Gaps could not be replayed: the log was pruned below old cursors, or one transaction wrote " +
		"a great many events. Bulk loads do that, and PostgreSQL restored from a backup."
	slow := n.counted("slow-closes", "Slow sockets closed", limitSlowCloses,
		func(s *Sample) int64 { return s.SlowCloses })
	slow.Threshold = "Look from 5, bad from 50 in a quarter of an hour"
	slow.Advice = "They come back with their cursor, and nothing is lost. Many at once mean a network or a proxy " +
		"that does not pass bytes on."
	return []Sign{n.pathSign(), sockets, events, n.lagSign(), n.queueSign(), resyncs, slow}
}

// pathSign judges the way that events come in by.
func (n Node) pathSign() Sign {
	now := n.Last()
	sign := Sign{
		Key:   "event-path",
		Group: GroupLive,
		Title: "Event path",
		State: Good,
		Text:  "Connected",
		Note:  fmt.Sprintf("%d reconnects since the start", now.Reconnects),
		Threshold: "Bad without a connection or when the log is not read for 10 s, look when wake-ups do not " +
			"arrive",
	}
	switch {
	case !now.Connected && now.At.Sub(n.Since) < connectGrace:
		sign.State, sign.Text = Unknown, "Connecting"
	case !now.Connected:
		sign.State, sign.Text = Bad, "Not connected"
		sign.Advice = "Open pages do not change until the listener is connected again; then they catch up by " +
			"themselves. Is the database up? The log says why, portal doctor tells more."
	case now.ReadAge > readGrace:
		sign.State, sign.Text = Bad, "Log not read for "+inWords(now.ReadAge.Seconds())
		sign.Advice = "The listener's connection stands but brings nothing. Look for locks on portal.event and " +
			"at the load of the database; a restart of this node connects anew."
	case !now.WokenUp && n.Now.Sub(n.Since) > wakeUpGrace:
		sign.State, sign.Text = Look, "Polling only"
		sign.Advice = "Changes are found by the slow poll, a quarter of a second late: wake-ups do not arrive, " +
			"or there is no stream of the write-ahead log. The log says why. Behind a pooler, set " +
			"PORTAL_DIRECT_URL to the server itself."
	}
	return sign
}

func (n Node) queueSign() Sign {
	now := n.Last()
	return Sign{
		Key:       "queue-bytes",
		Group:     GroupLive,
		Title:     "Waiting for sockets",
		Value:     float64(now.QueueBytes),
		Unit:      "bytes",
		Text:      Bytes(now.QueueBytes),
		State:     limitQueueBytes.of(float64(now.QueueBytes)),
		Threshold: "Look from 16 MB, bad from 128 MB",
		Series:    n.series(func(s *Sample) float64 { return float64(s.QueueBytes) }),
		Advice: "Browsers read more slowly than events come. The slowest are closed by themselves and come " +
			"back; look at the network between, and at the rate of events.",
	}
}

func (n Node) lagSign() Sign {
	sign := Sign{
		Key:       "lag",
		Group:     GroupLive,
		Title:     "From change to frame",
		State:     Unknown,
		Unit:      "seconds",
		Text:      "Nothing sent yet",
		Threshold: "Look from p99 250 ms, bad from 2 s",
		Advice: "The time runs from the row in the event log, so long transactions count. Look at long " +
			"transactions, the load of both machines, and whether their clocks agree.",
		Series: n.spread(func(s *Sample) Distribution { return s.Lag }, 0.95),
	}
	lag, over := n.lately(func(s *Sample) Distribution { return s.Lag })
	if lag.Total() == 0 {
		return sign
	}
	p99 := lag.Quantile(0.99)
	sign.Value, sign.State = p99.Seconds(), limitLag.among(lag, p99)
	sign.Text = fmt.Sprintf("p50 %s · p95 %s · p99 %s",
		short(lag.Quantile(0.5)), short(lag.Quantile(0.95)), short(p99))
	sign.Note = fmt.Sprintf("%s writes to sockets in the last %s; the plot is p95",
		count(int64(lag.Total())), inWords(over.Seconds()))
	if sign.State == Unknown {
		sign.Note = "too few to judge: " + sign.Note
	}
	return sign
}

// counted judges how often something happened in the time that is plotted.
func (n Node) counted(key, title string, l limit, of func(*Sample) int64) Sign {
	times := of(n.Last()) - of(&n.Samples[0])
	if len(n.Samples) == 1 {
		times = of(n.Last())
	}
	return Sign{
		Key:    key,
		Group:  GroupLive,
		Title:  title,
		Value:  float64(times),
		Text:   count(times),
		State:  l.of(float64(times)),
		Note:   "in " + n.window(&n.Samples[0]),
		Series: n.rate(func(s *Sample) float64 { return float64(of(s)) }),
	}
}
