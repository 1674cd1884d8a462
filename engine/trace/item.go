// Package trace is what is told about calls of Workers after they are over: items, who listens to
// them as they come (tails), and the journal that keeps the latest. It knows neither scripts nor
// sockets: the engine fills items in, gateway/control hands them out.
package trace

import (
	"encoding/json"
	"time"
)

// Outcomes of a call, in the public API's words.
const (
	OK              = "ok"
	ExceptionThrown = "exception"
	ExceededCPU     = "exceededCpu"
	ExceededMemory  = "exceededMemory"
	Canceled        = "canceled" // the client left before the answer
	Unknown         = "unknown"  // anything else: a trap, a wall limit, no room
)

// Outcomes are all of them.
var Outcomes = []string{OK, ExceptionThrown, ExceededCPU, ExceededMemory, Canceled, Unknown}

// Item is one call of one Worker, as the public API's TraceItem. It is not changed once it is
// published, so that readers share it.
type Item struct {
	Event          any           `json:"event"` // *Fetch, *RPC, *Consumed, or nil
	EventTimestamp int64         `json:"eventTimestamp"`
	Logs           []Log         `json:"logs"`
	Exceptions     []Exception   `json:"exceptions"`
	Diagnostics    []any         `json:"diagnosticsChannelEvents"` // always empty: there are no such channels
	ScriptName     string        `json:"scriptName"`
	Entrypoint     string        `json:"entrypoint,omitempty"`
	Version        ScriptVersion `json:"scriptVersion"`
	Namespace      string        `json:"dispatchNamespace,omitempty"`
	Tags           []string      `json:"scriptTags"`
	Outcome        string        `json:"outcome"`
	Model          string        `json:"executionModel"` // always "stateless"
	Truncated      bool          `json:"truncated"`      // log lines are missing: there were too many
	CPUTime        float64       `json:"cpuTime"`        // ms
	WallTime       float64       `json:"wallTime"`       // ms, to the end of what waitUntil waits for
	Request        uint64        `json:"switchyardRequest"`
}

// ScriptVersion says which upload ran.
type ScriptVersion struct {
	ID      string `json:"id"`
	Tag     string `json:"tag,omitempty"`
	Message string `json:"message,omitempty"`
}

// Log is one console line. Message has one element for each argument that was given.
type Log struct {
	Message   json.RawMessage `json:"message"` // an array
	Level     string          `json:"level"`   // debug, log, info, warn, error
	Timestamp int64           `json:"timestamp"`
}

// Exception is an uncaught one, or a rejection that nobody handled.
type Exception struct {
	Name      string `json:"name"`
	Message   string `json:"message"`
	Stack     string `json:"stack,omitempty"`
	Timestamp int64  `json:"timestamp"`
}

// Fetch is the event of a request.
type Fetch struct {
	Request  Request   `json:"request"`
	Response *Response `json:"response,omitempty"` // nil: there was none
}

// Request is a request without what must not be read by others.
type Request struct {
	URL     string            `json:"url"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
}

// Response is what of a response is told.
type Response struct {
	Status int `json:"status"`
}

// RPC is the event of a method that another Worker called.
type RPC struct {
	Method string `json:"rpcMethod"`
}

// Consumed is the event of a tail Worker's own call.
type Consumed struct {
	Events []ConsumedEvent `json:"consumedEvents"`
}

// ConsumedEvent names the script that a consumed item is of.
type ConsumedEvent struct {
	ScriptName string `json:"scriptName"`
}

// Milliseconds is a duration as items have it.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Text is a line's message that has one text.
func Text(line string) json.RawMessage {
	text, err := json.Marshal([]string{line})
	if err != nil {
		panic("BUG: a string does not encode: " + err.Error())
	}
	return text
}

// Encode returns the item as JSON.
func (i *Item) Encode() []byte {
	text, err := json.Marshal(i)
	if err != nil {
		panic("BUG: a trace item does not encode: " + err.Error())
	}
	return text
}

const (
	maxLines    = 1000
	maxLogBytes = 256 << 10
)

// Size is about how many bytes the item takes in memory.
func (i *Item) Size() int {
	n := itemBytes
	if f, ok := i.Event.(*Fetch); ok {
		n += len(f.Request.URL)
		for name, value := range f.Request.Headers {
			n += len(name) + len(value) + mapEntryBytes
		}
	}
	for _, l := range i.Logs {
		n += len(l.Message) + logBytes
	}
	for _, e := range i.Exceptions {
		n += len(e.Name) + len(e.Message) + len(e.Stack) + logBytes
	}
	return n
}

const (
	itemBytes     = 512
	mapEntryBytes = 48
	logBytes      = 64
)
