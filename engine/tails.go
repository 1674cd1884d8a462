package engine

import (
	"fmt"
	"io"

	"switchyard/engine/trace"
)

// watch returns who listens to a script, or to a whole namespace where ref has no script.
func (e *Engine) watch(ref Ref) (*trace.Watch, error) {
	if ref.Script == "" {
		n, err := e.catalog.namespace(ref.Namespace)
		if err != nil {
			return nil, err
		}
		return &n.watch, nil
	}
	s, err := e.catalog.script(ref)
	if err != nil {
		return nil, err
	}
	return &s.watch, nil
}

// OpenTail begins to listen to the calls of a script, or of a whole namespace where ref has no
// script. The tail ends when nobody connects to it in a minute.
func (e *Engine) OpenTail(ref Ref, f trace.Filter) (*trace.Tail, error) {
	w, err := e.watch(ref)
	if err != nil {
		return nil, err
	}
	return e.tails.Open(w, f)
}

// Tails returns the tails that are open, the oldest first.
func (e *Engine) Tails(ref Ref) ([]*trace.Tail, error) {
	w, err := e.watch(ref)
	if err != nil {
		return nil, err
	}
	return e.tails.Of(w), nil
}

// CloseTail ends a tail of ref.
func (e *Engine) CloseTail(ref Ref, id string) error {
	w, err := e.watch(ref)
	if err != nil {
		return err
	}
	return e.tails.End(w, id)
}

// ConnectTail takes a tail for its one reader, which closes it. Whoever knows the id may listen.
func (e *Engine) ConnectTail(id string) (*trace.Tail, error) { return e.tails.Connect(id) }

// Journal returns the calls that q selects, the newest first.
func (e *Engine) Journal(q trace.Query) []trace.Entry { return e.journal.Find(q) }

// writeTraceMetrics writes what became of the items of calls.
func (e *Engine) writeTraceMetrics(w io.Writer) {
	open, sent, dropped := e.tails.Counts()
	fmt.Fprintf(w, "switchyard_tails %d\n", open)
	fmt.Fprintf(w, "switchyard_tail_events_total{outcome=\"sent\"} %d\n", sent)
	fmt.Fprintf(w, "switchyard_tail_events_total{outcome=\"dropped\"} %d\n", dropped)
	c := e.consumers
	fmt.Fprintf(w, "switchyard_tail_consumer_events_total{outcome=\"sent\"} %d\n", c.sent.Load())
	fmt.Fprintf(w, "switchyard_tail_consumer_events_total{outcome=\"dropped\"} %d\n", c.dropped.Load())
	fmt.Fprintf(w, "switchyard_tail_consumer_events_total{outcome=\"failed\"} %d\n", c.failed.Load())
	entries, bytes, removed := e.journal.Stats()
	fmt.Fprintf(w, "switchyard_journal_entries %d\n", entries)
	fmt.Fprintf(w, "switchyard_journal_bytes %d\n", bytes)
	fmt.Fprintf(w, "switchyard_journal_removed_total %d\n", removed)
}

// forgetTraces ends the tails of a script that is gone and empties its log: another script of the
// same name may be somebody else's.
func (e *Engine) forgetTraces(s *script) {
	e.journal.Forget(trace.Source(s.ref()))
	for _, tail := range e.tails.Of(&s.watch) {
		tail.Close()
	}
}
