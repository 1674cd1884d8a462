package trace

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"switchyard/isolate/abi"
)

// newItem makes an item of script that said text.
func newItem(script, text string) *Item {
	d := NewDraft(time.UnixMilli(1000))
	head := abi.AppendRequestHead(nil, "POST", "http://x.test/")
	head = abi.AppendHeader(head, 0, "Cookie", "a=b")
	head = abi.AppendHeader(head, 0, "X-Debug", "yes")
	head = abi.AppendHeader(head, 0, "X-Debug", "more")
	head = abi.AppendHeader(head, 0, "CF-Connecting-IP", "192.0.2.1")
	d.Edit(func(i *Item) {
		i.ScriptName, i.Event, i.Tags = script, NewFetch(abi.RequestHead(head)), []string{"gold"}
	})
	d.AddLog(Log{Message: Text(text), Level: "warn", Timestamp: 1})
	return d.Finish()
}

func TestFilters(t *testing.T) {
	item := newItem("shop", "one two")
	for _, c := range []struct {
		filter string
		passes bool
	}{
		{`{"outcome":["ok"]}`, true}, {`{"outcome":["exception"]}`, false}, {`{"outcome":["exceededWallTime"]}`, false},
		{`{"method":["post"]}`, true}, {`{"method":["GET"]}`, false},
		{`{"header":{"key":"x-DEBUG"}}`, true}, {`{"header":{"key":"x-debug","query":"more"}}`, true}, {`{"header":{"key":"x-debug","query":"no"}}`, false},
		{`{"client_ip":["192.0.2.1"]}`, true}, {`{"client_ip":["192.0.2.2"]}`, false}, {`{"client_ip":["self"]}`, true},
		{`{"query":"two"}`, true}, {`{"query":"three"}`, false},
		{`{"script":["shop","other"]}`, true}, {`{"script":["other"]}`, false}, {`{"tag":["gold"]}`, true}, {`{"tag":["lead"]}`, false},
		{`{"sampling_rate":1}`, true}, {`{"sampling_rate":0}`, false},
		{`{"method":["POST"]},{"query":"three"}`, false},
	} {
		var elements []json.RawMessage
		if err := json.Unmarshal([]byte("["+c.filter+"]"), &elements); err != nil {
			t.Fatal(err)
		}
		f, err := ParseFilters(elements)
		f.ResolveSelf("192.0.2.1")
		if err != nil || f.Match(item) != c.passes {
			t.Errorf("%s: %v, passes %v, want %v", c.filter, err, f.Match(item), c.passes)
		}
	}
	if h := item.Event.(*Fetch).Request.Headers; h["cookie"] != Redacted || h["x-debug"] != "yes, more" {
		t.Errorf("headers: %v", h)
	}
}

// TestSlowReader: whoever does not read loses items, and is told how many.
func TestSlowReader(t *testing.T) {
	tails := NewTails()
	var w Watch
	tail, err := tails.Open(&w, Filter{})
	if err != nil || !w.Active() {
		t.Fatal(err)
	}
	item := newItem("shop", "x")
	for range maxQueued + 7 {
		Publish(item, &w)
	}
	big := newItem("shop", "x")
	big.Exceptions = []Exception{{Message: strings.Repeat("x", maxQueuedSize)}}
	tail.Received(<-tail.Items())
	Publish(big, &w)
	if lost := tail.Received(<-tail.Items()); lost != 1 {
		t.Errorf("lost %d, want the big one", lost)
	}
	if _, sent, dropped := tails.Counts(); sent != 2 || dropped != 8 {
		t.Errorf("sent %d, dropped %d", sent, dropped)
	}
}

func TestTailsAreBounded(t *testing.T) {
	tails := NewTails()
	var w Watch
	for range maxTailsScope {
		if _, err := tails.Open(&w, Filter{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tails.Open(&w, Filter{}); !errors.Is(err, ErrTooManyTails) {
		t.Errorf("one too many: %v", err)
	}
	first := tails.Of(&w)[0]
	if _, err := tails.Connect(first.ID); err != nil {
		t.Error(err)
	}
	if _, err := tails.Connect(first.ID); !errors.Is(err, ErrTailInUse) {
		t.Errorf("a second reader: %v", err)
	}
	tails.Close()
	<-first.Done()
	if _, err := tails.Connect(first.ID); !errors.Is(err, ErrNoTail) || w.Active() {
		t.Errorf("after Close: %v, active %v", err, w.Active())
	}
}

// TestPublishHammer publishes while tails come and go.
func TestPublishHammer(t *testing.T) {
	tails := NewTails()
	var w, namespace Watch
	item := newItem("shop", "x")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				Publish(item, &w, &namespace)
			}
		})
		wg.Go(func() {
			for range 200 {
				tail, err := tails.Open(&w, Filter{})
				if err != nil {
					t.Error(err)
					return
				}
				tail.Close()
				tail.Close()
			}
		})
	}
	wg.Wait()
	if open, _, _ := tails.Counts(); open != 0 || w.Active() {
		t.Errorf("%d tails are open", open)
	}
}

// TestJournal: what is kept, what goes first, and what a query selects.
func TestJournal(t *testing.T) {
	size := newItem("a", "0").Size()
	j := NewJournal(10*size+size/2, 4*size+size/2)
	for n := range 6 {
		j.Add(Source{"ns", "a"}, newItem("a", fmt.Sprint(n)))
	}
	if got := j.Find(Query{Limit: 10}); len(got) != 4 || got[0].Number != 6 || got[3].Number != 3 {
		t.Errorf("one script keeps %v", got)
	}
	for n := range 9 {
		j.Add(Source{"", fmt.Sprint("plain", n)}, newItem("plain", "x"))
	}
	if entries, bytes, removed := j.Stats(); entries != 10 || bytes > 10*size+size/2 || removed != 5 {
		t.Errorf("%d entries, %d bytes, %d removed", entries, bytes, removed)
	}
	plain, ns := "", "ns"
	for _, c := range []struct {
		q    Query
		want int
	}{
		{Query{Namespace: &plain}, 9}, {Query{Namespace: &ns}, 1}, {Query{Namespace: &ns, Script: "a"}, 1}, {Query{Script: "plain3"}, 1},
		{Query{Outcomes: []string{"exception"}}, 0}, {Query{Levels: []string{"warn"}}, 10}, {Query{Levels: []string{"error"}}, 0},
		{Query{Text: "5"}, 1}, {Query{From: time.UnixMilli(1001)}, 0}, {Query{To: time.UnixMilli(1001)}, 10}, {Query{Before: 8}, 2},
	} {
		c.q.Limit = 100
		if got := j.Find(c.q); len(got) != c.want {
			t.Errorf("%+v: %d entries, want %d", c.q, len(got), c.want)
		}
	}
	j.Forget(Source{"ns", "a"})
	if got := j.Find(Query{Namespace: &ns, Limit: 1}); len(got) != 0 {
		t.Errorf("after Forget: %v", got)
	}
}
