package control

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// envelope is the shape of every JSON answer. Clients rely on both halves: wrangler decides on
// success, the SDKs on the status, so the two never disagree.
type envelope struct {
	Success    bool       `json:"success"`
	Errors     []apiError `json:"errors"`
	Messages   []any      `json:"messages"`
	Result     any        `json:"result"`
	ResultInfo any        `json:"result_info,omitempty"`
}

// list is a result that carries paging beside it.
type list struct {
	items any
	info  any
}

// pageInfo says that everything fitted on one page; wrangler stops at page*per_page >= total.
type pageInfo struct {
	Page       int `json:"page"`
	PerPage    int `json:"per_page"`
	Count      int `json:"count"`
	TotalCount int `json:"total_count"`
	TotalPages int `json:"total_pages"`
}

// cursorInfo is paging by cursor; an empty cursor is the end.
type cursorInfo struct {
	Count   int    `json:"count"`
	PerPage int    `json:"per_page"`
	Cursor  string `json:"cursor"`
}

// onePage is the whole of a collection as page 1, whatever page size the client asks for: a
// client that does not page sees all of it. Every later page is empty, which ends the loop of
// a client that asks until it is.
func onePage[T any](c *call, items []T) list {
	info := pageInfo{Page: 1, PerPage: max(len(items), 100), Count: len(items), TotalCount: len(items), TotalPages: 1}
	if page, err := strconv.Atoi(c.query("page")); err == nil && page > 1 {
		items, info.Page, info.Count = []T{}, page, 0
	}
	return list{items, info}
}

// collect describes every element; of none it makes [], not null.
func collect[T, J any](all []T, describe func(T) J) []J {
	items := make([]J, len(all))
	for i := range all {
		items[i] = describe(all[i])
	}
	return items
}

// stamp is how times are written: RFC 3339 in UTC, to the microsecond.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// described makes an endpoint's result of what a method of the Platform returned.
func described[T, J any](describe func(T) J) func(T, error) (any, error) {
	return func(v T, err error) (any, error) {
		if err != nil {
			return nil, err
		}
		return describe(v), nil
	}
}

// raw is a result that is not wrapped: it writes itself.
type raw struct {
	contentType string
	header      map[string]string
	body        []byte
}

// withStatus is a result whose status is not 200.
type withStatus struct {
	status int
	result any
}

// noResult is the JSON null of a delete. Never 204: the SDKs cannot read an empty body.
var noResult any

func writeResult(w http.ResponseWriter, result any) {
	switch v := result.(type) {
	case raw:
		w.Header().Set("Content-Type", v.contentType)
		for k, h := range v.header {
			w.Header().Set(k, h)
		}
		w.Write(v.body)
	case list:
		writeJSON(w, http.StatusOK, envelope{Success: true, Result: v.items, ResultInfo: v.info})
	case withStatus:
		writeJSON(w, v.status, envelope{Success: true, Result: v.result})
	default:
		writeJSON(w, http.StatusOK, envelope{Success: true, Result: result})
	}
}

func writeProblem(w http.ResponseWriter, p *problem) {
	switch p.status {
	case http.StatusConflict, http.StatusInternalServerError, http.StatusNotImplemented:
		// These do not heal in a second, and both SDKs would retry them.
		w.Header().Set("X-Should-Retry", "false")
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	writeJSON(w, p.status, envelope{Errors: []apiError{p.apiError}})
}

// writeJSON encodes before it writes the status, so that a value that does not encode is a 500.
func writeJSON(w http.ResponseWriter, status int, e envelope) {
	if e.Errors == nil {
		e.Errors = []apiError{}
	}
	e.Messages = []any{}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		panic("BUG: result does not encode: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(buf.Bytes())
}
