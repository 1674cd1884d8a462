package trace

import (
	"slices"
	"strings"
	"sync"
	"time"

	"switchyard/isolate/abi"
)

// Draft is an item while its call runs. Lines may come from the call and from what goes on after
// its response at once.
type Draft struct {
	Start time.Time

	mu struct {
		sync.Mutex
		item     Item
		logBytes int
	}
}

// NewDraft begins the item of a call that began at start.
func NewDraft(start time.Time) *Draft {
	d := &Draft{Start: start}
	d.mu.item = Item{
		EventTimestamp: start.UnixMilli(), Logs: []Log{}, Exceptions: []Exception{}, Diagnostics: []any{}, Tags: []string{},
		Outcome: OK, Model: "stateless",
	}
	return d
}

// Edit changes what is known of the call.
func (d *Draft) Edit(change func(*Item)) {
	d.mu.Lock()
	change(&d.mu.item)
	d.mu.Unlock()
}

// AddLog adds a line while there is room for it.
func (d *Draft) AddLog(l Log) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := &d.mu.item
	if len(i.Logs) == maxLines || d.mu.logBytes+len(l.Message) > maxLogBytes {
		i.Truncated = true
		return
	}
	d.mu.logBytes += len(l.Message)
	i.Logs = append(i.Logs, l)
}

// AddException adds one, as text: "TypeError: message", then lines of a stack.
func (d *Draft) AddException(message, stack string, at time.Time) {
	name, text := "Error", message
	if class, rest, ok := strings.Cut(message, ": "); ok && strings.HasSuffix(class, "Error") && !strings.ContainsAny(class, " \n") {
		name, text = class, rest
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	i := &d.mu.item
	if len(i.Exceptions) == maxExceptions {
		i.Truncated = true
		return
	}
	i.Exceptions = append(i.Exceptions, Exception{Name: name, Message: text, Stack: stack, Timestamp: at.UnixMilli()})
}

const maxExceptions = 64

// Finish returns the item, which is not changed any more.
func (d *Draft) Finish() *Item {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &d.mu.item
}

// NewFetch describes a request.
func NewFetch(head abi.RequestHead) *Fetch {
	f := &Fetch{Request: Request{URL: string(head.URL()), Method: string(head.Method()), Headers: map[string]string{}}}
	for rest := head.Headers(); len(rest) > 0; {
		var name, value []byte
		name, value, rest = rest.Next()
		key := strings.ToLower(string(name))
		switch old, again := f.Request.Headers[key]; {
		case secret(key):
			f.Request.Headers[key] = Redacted
		case again:
			f.Request.Headers[key] = old + ", " + string(value)
		default:
			f.Request.Headers[key] = string(value)
		}
	}
	return f
}

// Redacted stands for the value of a header that may hold a credential.
const Redacted = "REDACTED"

var secretWords = []string{"auth", "cookie", "jwt", "key", "secret", "token", "password"}

// secret says that a header may hold a credential, by its name, as the public API does.
func secret(name string) bool {
	return slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(name, word) })
}
