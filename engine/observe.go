package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"

	"switchyard/engine/trace"
	"switchyard/isolate"
)

// observed is what a version asks for about its calls.
//
//	observability absent          the journal gets calls that logged or failed
//	{"enabled":true}              … all calls, or head_sampling_rate of them
//	{"enabled":false}             … none
//	tail_consumers                these Workers get all calls
//
// Calls that somebody tails are told of in any case.
type observed struct {
	version   trace.ScriptVersion
	lazy      bool    // calls go to the journal that log or fail
	rate      float64 // of calls that go to the journal whatever becomes of them
	consumers []string
}

// maxConsumers bounds the tail Workers of one version.
const maxConsumers = 10

// observability are the keys of an upload's metadata that say it.
type observability struct {
	Observability *struct {
		Enabled *bool    `json:"enabled"`
		Rate    *float64 `json:"head_sampling_rate"`
		Logs    *struct {
			Enabled *bool    `json:"enabled"`
			Rate    *float64 `json:"head_sampling_rate"`
		} `json:"logs"`
	} `json:"observability"`
	Consumers []tailConsumer `json:"tail_consumers"`
}

type tailConsumer struct {
	Service   string `json:"service"`
	Namespace string `json:"namespace"`
}

func parseObservability(metadata []byte) (o observability, err error) {
	if len(metadata) > 0 {
		err = json.Unmarshal(metadata, &o)
	}
	return o, err
}

// newObserved reads what v's metadata says. What it says was looked at when v was uploaded.
func newObserved(v *Version) observed {
	o := observed{version: trace.ScriptVersion{
		ID: v.ID, Tag: v.Annotations["workers/tag"], Message: v.Annotations["workers/message"],
	}}
	doc, err := parseObservability(v.Metadata)
	if err != nil {
		o.lazy = true
		return o // stored by a release that did not look at it
	}
	for _, c := range doc.Consumers {
		o.consumers = append(o.consumers, c.Service)
	}
	if doc.Observability == nil {
		o.lazy = true
		return o
	}
	enabled, rate := doc.Observability.Enabled, doc.Observability.Rate
	if logs := doc.Observability.Logs; logs != nil {
		if logs.Enabled != nil {
			enabled = logs.Enabled
		}
		if logs.Rate != nil {
			rate = logs.Rate
		}
	}
	if enabled != nil && *enabled {
		o.rate = 1
		if rate != nil {
			o.rate = *rate
		}
	}
	return o
}

// checkObservability refuses what newObserved could not follow.
func (d *draft) checkObservability() error {
	doc, err := parseObservability(d.upload.Metadata)
	if err != nil {
		return invalid("observability", "or tail_consumers is not of the shape {\"enabled\":true,\"head_sampling_rate\":1}, [{\"service\":\"name\"}]: %v", err)
	}
	if len(doc.Consumers) > maxConsumers {
		return invalid("tail_consumers", "there are %d, at most %d are allowed", len(doc.Consumers), maxConsumers)
	}
	if o := doc.Observability; o != nil {
		rates := []*float64{o.Rate}
		if o.Logs != nil {
			rates = append(rates, o.Logs.Rate)
		}
		for _, rate := range rates {
			if rate != nil && !(*rate >= 0 && *rate <= 1) {
				return invalid("observability.head_sampling_rate", "%v is not from 0 to 1", *rate)
			}
		}
	}
	before, _ := parseObservability(d.base.Metadata) // of another release: then nothing was there before
	for i, c := range doc.Consumers {
		if slices.Contains(before.Consumers, c) {
			continue
		}
		if c.Namespace != "" {
			return invalid(fmt.Sprintf("tail_consumers[%d].namespace", i), "a tail Worker is a plain Worker")
		}
		if err := d.checkPlainWorker(fmt.Sprintf("tail_consumers[%d].service", i), c.Service); err != nil {
			return err
		}
	}
	return nil
}

// observe begins the call's trace where somebody wants it whatever becomes of the call. Nothing is
// to be done for all others, here or later, unless they log or fail.
func (inv *invocation) observe(req *isolate.Request) {
	o := &inv.loaded.observed
	sampled := o.rate > 0 && (o.rate >= 1 || rand.Float64() < o.rate)
	if !sampled && len(o.consumers) == 0 && !inv.tailed() {
		return
	}
	inv.begin(req)
	inv.kept.Store(sampled)
}

// tailed says that somebody listens to the script's calls, or to all of its namespace.
func (inv *invocation) tailed() bool {
	return inv.script.watch.Active() || inv.script.namespace.watch.Active()
}

// begin makes the trace, if there is none yet. req is nil where it is not known any more.
func (inv *invocation) begin(req *isolate.Request) *trace.Draft {
	d := trace.NewDraft(time.Now())
	if req != nil {
		event := inv.event(req)
		d.Edit(func(i *trace.Item) { i.Event = event })
	}
	if !inv.trace.CompareAndSwap(nil, d) {
		return inv.trace.Load()
	}
	return d
}

// event describes what the call is about.
func (inv *invocation) event(req *isolate.Request) any {
	switch inv.call.Kind {
	case isolate.CallRPC:
		return &trace.RPC{Method: rpcMethod(req)}
	case isolate.CallTail:
		return &trace.Consumed{Events: inv.consumed}
	}
	return trace.NewFetch(req.Head)
}

// rpcMethod is the name of the method that a call is of: the path of its URL.
func rpcMethod(req *isolate.Request) string {
	path := strings.TrimPrefix(string(urlPath(req.Head.URL())), "/")
	if name, err := url.PathUnescape(path); err == nil {
		return name
	}
	return path
}

// traced returns the call's trace, which a line or a failure begins when nothing else has; nil
// when the version wants none.
func (inv *invocation) traced(req *isolate.Request) *trace.Draft {
	d := inv.trace.Load()
	if inv.loaded != nil && !inv.loaded.observed.lazy {
		return d
	}
	if d == nil {
		d = inv.begin(req)
	}
	inv.kept.Store(true)
	return d
}

// fault is every call's Fault.
func fault(c *isolate.Call, err error) {
	inv := c.Owner.(*invocation)
	if inv.status.Load() != 0 && errors.Is(err, isolate.ErrWallLimit) {
		return // its response is out: what waitUntil waited for took too long
	}
	inv.traceFault(c.Request, err)
}

func (inv *invocation) traceFault(req *isolate.Request, err error) {
	d := inv.traced(req)
	if d == nil {
		return
	}
	outcome := outcomeOf(err)
	d.Edit(func(i *trace.Item) { i.Outcome = outcome })
	if outcome == trace.Canceled {
		return
	}
	if x, ok := errors.AsType[*isolate.Exception](err); ok {
		d.AddException(x.Message, x.Stack, time.Now())
	} else {
		d.AddException(err.Error(), "", time.Now())
	}
}

func outcomeOf(err error) string {
	for _, o := range []struct {
		err     error
		outcome string
	}{
		{isolate.ErrCPULimit, trace.ExceededCPU}, {isolate.ErrMemoryLimit, trace.ExceededMemory}, {isolate.ErrCanceled, trace.Canceled},
		{isolate.ErrTrap, trace.ExceptionThrown}, {isolate.ErrStack, trace.ExceptionThrown}, {isolate.ErrNoResponse, trace.ExceptionThrown},
		{isolate.ErrSubrequests, trace.ExceptionThrown},
	} {
		if errors.Is(err, o.err) {
			return o.outcome
		}
	}
	if _, ok := errors.AsType[*isolate.Exception](err); ok {
		return trace.ExceptionThrown
	}
	return trace.Unknown
}

// tell hands the trace of a call that is over to everybody who wants it.
func (inv *invocation) tell(d *trace.Draft) {
	e, s := inv.engine, inv.script
	ref := s.ref()
	tags := s.state.Load().record.Tags
	d.Edit(func(i *trace.Item) {
		i.ScriptName, i.Namespace, i.Entrypoint, i.Request = ref.Script, ref.Namespace, inv.call.Entrypoint, inv.chain.number
		if len(tags) > 0 {
			i.Tags = tags
		}
		if inv.loaded != nil {
			i.Version = inv.loaded.observed.version
		}
		i.CPUTime = trace.Milliseconds(time.Duration(inv.charged.Load()))
		i.WallTime = trace.Milliseconds(time.Since(d.Start))
		if f, ok := i.Event.(*trace.Fetch); ok && inv.status.Load() != 0 {
			f.Response = &trace.Response{Status: int(inv.status.Load())}
		}
	})
	item := d.Finish()
	trace.Publish(item, &s.watch, &s.namespace.watch)
	if inv.kept.Load() {
		e.journal.Add(trace.Source(ref), item)
	}
	if inv.loaded != nil {
		e.consumers.offer(inv.loaded.observed.consumers, item)
	}
}
