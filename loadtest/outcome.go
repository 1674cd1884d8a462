package loadtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"syscall"
)

// outcome is how a request ended, in words that an operator can look into.
type outcome uint8

const (
	ok        outcome = iota // a status below 400, and the body that was expected
	killed                   // by its CPU limit, as it must be; an error in other kinds: 5xx
	status4xx                // refused
	status5xx                // failed
	refused                  // nobody listens
	reset                    // the connection was reset, or closed before the answer began
	timeout                  // no whole answer in time
	short                    // the connection ended within the answer
	protocol                 // not HTTP/1.1 as RFC 9112 has it
	mismatch                 // not the body that was expected
	stale                    // the body of a version that was replaced before the request was sent
	leak                     // the body of another tenant, or of another request
	unkilled                 // passed its CPU limit and was answered
	other                    // failures of the generator's own system: no port, no descriptor
	outcomes
)

var outcomeNames = [outcomes]string{"ok", "killed", "4xx", "5xx", "refused", "reset", "timeout", "short body", "protocol", "mismatch", "stale", "leak", "not killed", "other"}

func (o outcome) String() string { return outcomeNames[o] }

// good outcomes are no errors.
func (o outcome) good() bool { return o == ok || o == killed }

// Outcomes counts requests by outcome.
type Outcomes [outcomes]int64

// Bad is the number of errors.
func (o *Outcomes) Bad() int64 { return o.Total() - o[ok] - o[killed] }

// Total is the number of requests.
func (o *Outcomes) Total() int64 {
	n := int64(0)
	for _, c := range o {
		n += c
	}
	return n
}

func (o *Outcomes) add(p *Outcomes) {
	for i := range o {
		o[i] += p[i]
	}
}

// ByName has what there is, not the zeros.
func (o *Outcomes) ByName() map[string]int64 {
	m := map[string]int64{}
	for i, n := range o {
		if n > 0 {
			m[outcomeNames[i]] = n
		}
	}
	return m
}

// MarshalJSON writes an object by name.
func (o Outcomes) MarshalJSON() ([]byte, error) { return json.Marshal(o.ByName()) }

// UnmarshalJSON reads it.
func (o *Outcomes) UnmarshalJSON(doc []byte) error {
	m := map[string]int64{}
	if err := json.Unmarshal(doc, &m); err != nil {
		return err
	}
	*o = Outcomes{}
next:
	for name, n := range m {
		for i := range outcomeNames {
			if outcomeNames[i] == name {
				o[i] = n
				continue next
			}
		}
		return fmt.Errorf("outcomes: there is no %q", name)
	}
	return nil
}

// outcomeOf names a system error.
func outcomeOf(err error) outcome {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return reset
	case errors.Is(err, syscall.ETIMEDOUT):
		return timeout
	}
	return other
}
