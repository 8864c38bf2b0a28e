package realtime

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"portal.example/portal"
)

const (
	maxFrame  = 256 << 10 // bytes of a client's frame
	maxTopics = 5000      // of one watch: a cart may hold as many items
	maxRef    = 1000      // bytes of an item number
)

var (
	errNotJSON = errors.New("not a JSON object that we know")
	errTooMany = errors.New("too many topics")
)

// parseWatch reads {"watch":["item:OIL5",…]} and returns the item numbers, each
// once and sorted. Topics of other kinds are passed over, so that a newer page
// can talk to an older server; so is an object without watch: then ok is false.
func parseWatch(raw []byte) (refs []string, ok bool, err error) {
	var frame struct {
		Watch *[]string `json:"watch"`
	}
	if len(raw) > maxFrame || json.Unmarshal(raw, &frame) != nil {
		return nil, false, errNotJSON
	}
	if frame.Watch == nil {
		return nil, false, nil
	}
	if len(*frame.Watch) > maxTopics {
		return nil, false, errTooMany
	}
	for _, topic := range *frame.Watch {
		ref, isItem := strings.CutPrefix(topic, "item:")
		if isItem && ref != "" && len(ref) <= maxRef && !strings.ContainsRune(ref, 0) {
			refs = append(refs, ref)
		}
	}
	slices.Sort(refs)
	return slices.Compact(refs), true, nil
}

// hear deals with one frame of the client.
func (s *socket) hear(raw []byte) {
	refs, ok, err := parseWatch(raw)
	if err != nil {
		s.refuse(err.Error())
		return
	}
	if ok {
		s.watch(refs)
	}
}

// watch replaces what the socket watches, and replays what happened to the new
// items since the page that shows them may have been made.
func (s *socket) watch(refs []string) {
	s.watching.Lock()
	defer s.watching.Unlock()
	refs, err := s.visible(refs)
	if err != nil {
		s.fail("watch", err)
		return
	}
	since := s.greeted
	if s.asked {
		// The page has shown these items only for a moment.
		since = s.hub.past.cursor(s.greeted)
	}
	s.asked = true // also by a page that shows no items yet
	added := s.shard.watch(s, refs)
	if len(added) == 0 {
		return
	}
	frame, err := s.replay(since, added, s.hub.past.cursor(s.greeted), func(e portal.Event) bool {
		return e.Kind == portal.EventItem && slices.Contains(added, e.Ref)
	})
	if err != nil {
		s.fail("replay of watched items", err)
		return
	}
	if frame == nil {
		s.release()
		return
	}
	s.release(frame)
	s.cursorNow()
}

// visible returns those of the items that the socket may watch.
func (s *socket) visible(refs []string) (visible []string, err error) {
	if len(refs) == 0 {
		return nil, nil
	}
	err = s.hub.ask(func(ctx context.Context) error {
		visible, err = s.hub.cfg.EventLog.Visible(ctx, s.who, refs)
		return err
	})
	visible = slices.DeleteFunc(visible, func(ref string) bool { return !slices.Contains(refs, ref) })
	slices.Sort(visible)
	return slices.Compact(visible), err
}

// verify drops watched items that the customer's rights no longer cover.
func (s *socket) verify() {
	s.watching.Lock()
	defer s.watching.Unlock()
	refs, err := s.visible(s.shard.refs(s))
	if err != nil {
		s.fail("verify what is watched", err)
		return
	}
	s.shard.watch(s, refs)
}

// cursorNow makes the wheel send a cursor at its next turn.
func (s *socket) cursorNow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cursorAt = 0
}
