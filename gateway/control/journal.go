package control

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchyard/engine"
	"switchyard/engine/trace"
)

// entryJSON is an item of the journal with its number.
type entryJSON struct {
	Number uint64 `json:"id"`
	*trace.Item
}

const (
	maxEntries     = 1000 // of one answer
	defaultEntries = 100
	plainNamespace = "-" // in ?namespace=: Workers outside every namespace
)

// queryJournal answers the calls that the query's parameters select, the newest first: under a
// script's path its own. With ?format=ndjson one JSON document a line, without an envelope.
func (s *server) queryJournal(c *call) (any, error) {
	q, err := c.journalQuery()
	if err != nil {
		return nil, err
	}
	if ref := c.ref(); ref.Script != "" {
		if _, err := s.Platform.Script(ref); err != nil {
			return nil, err
		}
	} else if ref.Namespace != "" {
		if _, err := s.Platform.Namespace(ref.Namespace); err != nil {
			return nil, err
		}
	}
	found := collect(s.Observer.Journal(q), func(e trace.Entry) entryJSON { return entryJSON{e.Number, e.Item} })
	if c.query("format") == "ndjson" {
		return lines(found), nil
	}
	info := cursorInfo{Count: len(found), PerPage: q.Limit}
	if len(found) == q.Limit {
		info.Cursor = strconv.FormatUint(found[len(found)-1].Number, 10)
	}
	return list{found, info}, nil
}

// lines writes one document a line.
func lines(entries []entryJSON) raw {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	for _, e := range entries {
		if err := enc.Encode(e); err != nil {
			panic("BUG: an entry does not encode: " + err.Error())
		}
	}
	return raw{contentType: "application/x-ndjson", body: buf.Bytes()}
}

// journalQuery reads what is asked for, by the path and by parameters.
func (c *call) journalQuery() (q trace.Query, err error) {
	ref, values := c.ref(), c.r.URL.Query()
	q = trace.Query{Script: ref.Script, Text: values.Get("search"), Limit: defaultEntries}
	switch namespace := values.Get("namespace"); {
	case ref != (engine.Ref{}):
		q.Namespace = &ref.Namespace
	case namespace == plainNamespace:
		q.Namespace = new(string)
	case namespace != "":
		q.Namespace = &namespace
	}
	if ref.Script == "" {
		q.Script = values.Get("script")
	}
	if q.Outcomes, err = choices("outcome", values["outcome"], trace.Outcomes); err != nil {
		return q, err
	}
	if q.Levels, err = choices("level", values["level"], trace.Levels); err != nil {
		return q, err
	}
	if q.From, err = instant("from", values.Get("from")); err != nil {
		return q, err
	}
	if q.To, err = instant("to", values.Get("to")); err != nil {
		return q, err
	}
	if text := values.Get("limit"); text != "" {
		if q.Limit, err = strconv.Atoi(text); err != nil || q.Limit < 1 || q.Limit > maxEntries {
			return q, refuse(fmt.Sprintf("limit: %s is not a number from 1 to %d", quote(text), maxEntries))
		}
	}
	if text := values.Get("cursor"); text != "" {
		if q.Before, err = strconv.ParseUint(text, 10, 64); err != nil || q.Before == 0 {
			return q, refuse("cursor: " + quote(text) + " is not one of this server")
		}
	}
	if format := values.Get("format"); format != "" && format != "json" && format != "ndjson" {
		return q, refuse("format: " + quote(format) + ` is neither "json" nor "ndjson"`)
	}
	return q, nil
}

// choices reads values that may be given as a list with commas, or again and again.
func choices(name string, given, known []string) ([]string, error) {
	var all []string
	for _, text := range given {
		for _, value := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' }) {
			if !slices.Contains(known, value) {
				return nil, refuse(name + ": " + quote(value) + " is none of " + strings.Join(known, ", "))
			}
			all = append(all, value)
		}
	}
	return all, nil
}

// instant reads RFC 3339 or milliseconds since 1970.
func instant(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(ms), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, fail(http.StatusBadRequest, codeInput, name+": "+quote(text)+" is neither RFC 3339 nor milliseconds since 1970")
	}
	return t, nil
}
