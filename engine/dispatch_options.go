package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"switchyard/isolate"
)

// dispatchOptions is what a dispatch Worker asks of one call, the third argument of get().
type dispatchOptions struct {
	limits isolate.Limits
	// noSubrequests is subRequests: 0, which Limits cannot say: there, zero is no limit.
	noSubrequests bool
	// outbound is the binding's outbound Worker with the parameters given; nil without one.
	outbound *outboundCall
	// entrypoint and props are what args say: the named export that answers, and its ctx.props as JSON.
	entrypoint string
	props      []byte
}

// outboundCall is what fetches of one dispatch become requests to. Workers that a user Worker
// calls inherit it.
type outboundCall struct {
	worker *Outbound
	// params is laid over the outbound Worker's env: a JSON object of the declared parameters
	// that were given a value; nil without one.
	params []byte
}

const (
	maxDispatchOptions = 64 << 10
	maxDispatchCPU     = 5 * time.Minute
	maxSubrequests     = 10_000
)

// parseDispatchOptions reads {"args":…,"limits":{"cpuMs":…,"subRequests":…},"outbound":{…}}.
// Keys that mean nothing here are let through. The error is what the dispatch Worker catches.
func parseDispatchOptions(text []byte, declared *Outbound) (o dispatchOptions, err error) {
	if len(text) > maxDispatchOptions {
		return o, fmt.Errorf("dispatch options have %d bytes, at most %d are allowed", len(text), maxDispatchOptions)
	}
	var doc struct {
		Args   json.RawMessage `json:"args"`
		Limits struct {
			CPUMs       json.RawMessage `json:"cpuMs"`
			SubRequests json.RawMessage `json:"subRequests"`
		} `json:"limits"`
		Outbound map[string]json.RawMessage `json:"outbound"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return o, fmt.Errorf("dispatch options: limits and outbound must be objects")
	}
	cpu, given, err := number("limits.cpuMs", doc.Limits.CPUMs, float64(maxDispatchCPU/time.Millisecond))
	if err != nil {
		return o, err
	}
	if given && cpu == 0 {
		return o, fmt.Errorf("limits.cpuMs must be greater than 0")
	}
	o.limits.CPU = max(time.Duration(cpu*float64(time.Millisecond)), time.Duration(min(1, cpu*1e9)))
	n, given, err := number("limits.subRequests", doc.Limits.SubRequests, maxSubrequests)
	if err != nil {
		return o, err
	}
	o.limits.Subrequests = int(n)
	o.noSubrequests = given && o.limits.Subrequests == 0
	if o.entrypoint, o.props, err = parseDispatchArgs(doc.Args); err != nil {
		return o, err
	}
	if declared != nil {
		o.outbound = &outboundCall{declared, outboundParams(doc.Outbound, declared)}
	}
	return o, nil
}

// parseDispatchArgs reads the second argument of get(): {"entrypoint"?,"props"?}, or an object that has
// neither and is the props itself.
func parseDispatchArgs(text []byte) (entrypoint string, props []byte, err error) {
	var args map[string]json.RawMessage
	if len(text) == 0 {
		return "", nil, nil
	}
	if err := json.Unmarshal(text, &args); err != nil {
		return "", nil, fmt.Errorf("args must be an object")
	}
	name, named := args["entrypoint"]
	given, has := args["props"]
	if !named && !has {
		return "", text, nil
	}
	if named {
		if err := json.Unmarshal(name, &entrypoint); err != nil {
			return "", nil, fmt.Errorf("args.entrypoint must be a string")
		}
	}
	if !has || string(given) == "null" {
		return entrypoint, nil, nil
	}
	if err := json.Unmarshal(given, &args); err != nil {
		return "", nil, fmt.Errorf("args.props must be an object")
	}
	return entrypoint, given, nil
}

func number(name string, text json.RawMessage, most float64) (n float64, given bool, err error) {
	if text == nil || bytes.Equal(text, []byte("null")) {
		return 0, false, nil
	}
	n, err = strconv.ParseFloat(string(text), 64)
	if err != nil || n < 0 || n > most {
		return 0, false, fmt.Errorf("%s must be a number from 0 to %.0f, not %.40s", name, most, text)
	}
	return n, true, nil
}

// outboundParams keeps the declared parameters, in the order of their declaration.
func outboundParams(values map[string]json.RawMessage, declared *Outbound) []byte {
	var object []byte
	for _, name := range declared.Params {
		value, ok := values[name]
		if !ok {
			continue
		}
		separator := byte(',')
		if object == nil {
			separator = '{'
		}
		object = append(object, separator)
		object = strconv.AppendQuote(object, name) // a binding name: nothing in it needs JSON's own escapes
		object = append(append(object, ':'), value...)
	}
	if object == nil {
		return nil
	}
	return append(object, '}')
}

// optionCache remembers what options mean. A dispatch Worker passes the same few texts again
// and again (a plan's limits, a customer's parameters), and parsing one costs microseconds. It
// is direct-mapped: a text has one slot, and the last one there stays.
type optionCache struct {
	declared *Outbound
	none     dispatchOptions // without a third argument
	seed     maphash.Seed
	slots    [optionSlots]atomic.Pointer[optionEntry]
}

type optionEntry struct {
	text    []byte
	options dispatchOptions
}

const (
	optionSlots     = 256
	maxCachedOption = 1 << 10
)

func newOptionCache(declared *Outbound) *optionCache {
	c := &optionCache{declared: declared, seed: maphash.MakeSeed()}
	if declared != nil {
		c.none.outbound = &outboundCall{worker: declared}
	}
	return c
}

func (c *optionCache) parse(text []byte) (*dispatchOptions, error) {
	if len(text) == 0 {
		return &c.none, nil
	}
	slot := &c.slots[maphash.Bytes(c.seed, text)%optionSlots]
	if e := slot.Load(); e != nil && bytes.Equal(e.text, text) {
		return &e.options, nil
	}
	o, err := parseDispatchOptions(text, c.declared)
	if err != nil {
		return nil, err
	}
	e := &optionEntry{options: o}
	if len(text) <= maxCachedOption {
		e.text = slices.Clone(text) // text is the guest's memory
		slot.Store(e)
	}
	return &e.options, nil
}

// noOptions is what a call that is no dispatch asks for.
var noOptions dispatchOptions
