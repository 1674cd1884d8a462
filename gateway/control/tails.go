package control

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"switchyard/engine"
	"switchyard/engine/trace"
)

// Observer is what tells about calls of Workers; *engine.Engine implements it. Where a Ref has no
// script, all of its namespace is meant.
type Observer interface {
	OpenTail(ref engine.Ref, f trace.Filter) (*trace.Tail, error)
	Tails(ref engine.Ref) ([]*trace.Tail, error)
	CloseTail(ref engine.Ref, id string) error
	ConnectTail(id string) (*trace.Tail, error)
	Journal(q trace.Query) []trace.Entry
}

// tailJSON is a tail as clients read it. The URL needs no token: its last part is unguessable.
type tailJSON struct {
	ID      string    `json:"id"`
	URL     string    `json:"url"`
	Expires time.Time `json:"expires_at"`
}

const pathTail = "/tail/"

func describeTail(r *http.Request, t *trace.Tail) tailJSON {
	scheme := "ws"
	if strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "wss"
	}
	return tailJSON{ID: t.ID, URL: scheme + "://" + r.Host + pathTail + t.ID, Expires: stamp(t.Expires)}
}

// createTail begins to listen. An empty body is no filter.
func (s *server) createTail(c *call) (any, error) {
	var doc struct {
		Filters []json.RawMessage `json:"filters"`
	}
	body, err := c.readBody(maxJSONBody)
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		if err := decodeJSON("body", body, &doc); err != nil {
			return nil, err
		}
	}
	filter, err := trace.ParseFilters(doc.Filters)
	if err != nil {
		return nil, refuse(err.Error())
	}
	if host, _, err := net.SplitHostPort(c.r.RemoteAddr); err == nil {
		filter.ResolveSelf(host)
	}
	tail, err := s.Observer.OpenTail(c.ref(), filter)
	if err != nil {
		return nil, tailProblem(err)
	}
	return describeTail(c.r, tail), nil
}

// listTails answers as the public API does, which knows one tail of a script: the newest. All of
// them are beside it.
func (s *server) listTails(c *call) (any, error) {
	tails, err := s.Observer.Tails(c.ref())
	if err != nil || len(tails) == 0 {
		return nil, err
	}
	all := collect(tails, func(t *trace.Tail) tailJSON { return describeTail(c.r, t) })
	return struct {
		tailJSON
		All []tailJSON `json:"tails"`
	}{all[len(all)-1], all}, nil
}

func (s *server) deleteTail(c *call) (any, error) {
	return noResult, tailProblem(s.Observer.CloseTail(c.ref(), c.param("tail")))
}

// tailProblem says what of a tail's errors a client has done.
func tailProblem(err error) error {
	switch {
	case errors.Is(err, trace.ErrTooManyTails):
		return fail(http.StatusTooManyRequests, codeTooManyTails, err.Error())
	case errors.Is(err, trace.ErrNoTail):
		return fail(http.StatusNotFound, codeTailNotFound, err.Error())
	case errors.Is(err, trace.ErrTailInUse):
		return fail(http.StatusConflict, codeConflict, err.Error())
	}
	return err
}
