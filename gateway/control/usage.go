package control

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"switchyard/engine"
)

// usageJSON is one sum of usage. What it is not summed by is not there.
type usageJSON struct {
	Start           *time.Time        `json:"start,omitempty"`
	Namespace       *string           `json:"namespace,omitempty"` // "" is plain Workers
	Script          *string           `json:"script,omitempty"`    // "" is scripts that were not there
	Tag             *string           `json:"tag,omitempty"`       // "" is scripts without tags
	Plan            *string           `json:"plan,omitempty"`      // "" is scripts without a plan
	Requests        uint64            `json:"requests"`
	Calls           uint64            `json:"calls"`
	Assets          uint64            `json:"assets"`
	CPU             int64             `json:"cpu_us"`
	CPUDispatch     int64             `json:"cpu_dispatch_us"`
	CPUUser         int64             `json:"cpu_user_us"`
	CPUOutbound     int64             `json:"cpu_outbound_us"`
	Wall            int64             `json:"wall_us"`
	Subrequests     uint64            `json:"subrequests"`
	IngressReceived uint64            `json:"ingress_received_bytes"`
	IngressSent     uint64            `json:"ingress_sent_bytes"`
	EgressReceived  uint64            `json:"egress_received_bytes"`
	EgressSent      uint64            `json:"egress_sent_bytes"`
	Errors          map[string]uint64 `json:"errors"`
}

func describeUsage(q *engine.UsageQuery) func(engine.UsageRow) usageJSON {
	return func(r engine.UsageRow) usageJSON {
		u := usageJSON{
			Requests: r.Requests, Calls: r.Calls, Assets: r.Assets, CPU: (r.CPUDispatch + r.CPUUser + r.CPUOutbound).Microseconds(),
			CPUDispatch: r.CPUDispatch.Microseconds(), CPUUser: r.CPUUser.Microseconds(), CPUOutbound: r.CPUOutbound.Microseconds(),
			Wall: r.Wall.Microseconds(), Subrequests: r.Subrequests, IngressReceived: r.IngressReceived, IngressSent: r.IngressSent,
			EgressReceived: r.EgressReceived, EgressSent: r.EgressSent, Errors: r.Errors,
		}
		if u.Errors == nil {
			u.Errors = map[string]uint64{}
		}
		if q.Interval > 0 {
			u.Start = &r.Start
		}
		switch q.Group {
		case engine.ByScript:
			u.Namespace, u.Script, u.Plan = &r.Namespace, &r.Script, &r.Plan
		case engine.ByTag:
			u.Tag = &r.Tag
		case engine.ByPlan:
			u.Plan = &r.Plan
		case engine.ByNamespace:
			u.Namespace = &r.Namespace
		}
		return u
	}
}

var usageIntervals = map[string]time.Duration{"": 0, "minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

// getUsage answers as JSON, CSV or NDJSON.
func (s *server) getUsage(c *call) (any, error) {
	q, err := c.usageQuery()
	if err != nil {
		return nil, err
	}
	format := c.query("format")
	switch format {
	case "", "json", "csv", "ndjson":
	default:
		return nil, refuse("format: " + quote(format) + ` is none of "json", "csv", "ndjson"`)
	}
	if namespace := c.param("namespace"); namespace != "" {
		if _, err := s.Platform.Namespace(namespace); err != nil {
			return nil, err
		}
	}
	rows, err := s.Platform.Usage(c.context(), q)
	if err != nil {
		return nil, err
	}
	described := collect(rows, describeUsage(&q))
	switch format {
	case "csv":
		return usageCSV(described)
	case "ndjson":
		return usageLines(described)
	}
	return onePage(c, described), nil
}

func (c *call) usageQuery() (q engine.UsageQuery, err error) {
	q = engine.UsageQuery{Namespace: c.query("namespace"), Script: c.query("script"), Tag: c.query("tag"), Plan: c.query("plan"), Group: engine.UsageGroup(c.query("group"))}
	if q.Group == "" {
		q.Group = engine.ByScript
	}
	if namespace := c.param("namespace"); namespace != "" {
		q.Namespace = namespace
	}
	q.Plain = c.r.URL.Query().Has("namespace") && q.Namespace == ""
	var ok bool
	if q.Interval, ok = usageIntervals[c.query("interval")]; !ok {
		return q, refuse("interval: " + quote(c.query("interval")) + ` is none of "minute", "hour", "day"`)
	}
	if q.From, err = c.time("since"); err != nil {
		return q, err
	}
	q.To, err = c.time("until")
	return q, err
}

// time reads a query parameter: RFC 3339, a day like 2026-01-31, or seconds since 1970; zero when
// it is not there.
func (c *call) time(name string) (time.Time, error) {
	text := c.query(name)
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, strings.ReplaceAll(text, " ", "+")); err == nil { // a "+" that was not escaped
			return t, nil
		}
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 && n < 1<<40 {
		return time.Unix(n, 0), nil
	}
	return time.Time{}, refuse(name + ": " + quote(text) + " is no time: use RFC 3339, a day, or seconds since 1970")
}

func usageLines(rows []usageJSON) (any, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	for i := range rows {
		if err := enc.Encode(&rows[i]); err != nil {
			return nil, err
		}
	}
	return raw{contentType: "application/x-ndjson", body: buf.Bytes()}, nil
}

// usageColumns are those of CSV, always the same; one more follows for each kind of error.
var usageColumns = []string{
	"start", "namespace", "script", "tag", "plan", "requests", "calls", "assets", "cpu_us", "cpu_dispatch_us", "cpu_user_us", "cpu_outbound_us", "wall_us",
	"subrequests", "ingress_received_bytes", "ingress_sent_bytes", "egress_received_bytes", "egress_sent_bytes",
}

func usageCSV(rows []usageJSON) (any, error) {
	kinds := engine.FaultKinds()
	header := append([]string{}, usageColumns...)
	for _, kind := range kinds {
		header = append(header, "errors_"+kind)
	}
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	w.Write(header)
	for i := range rows {
		w.Write(rows[i].record(kinds))
	}
	w.Flush()
	return raw{contentType: "text/csv; charset=utf-8", body: buf.Bytes()}, w.Error()
}

func (u *usageJSON) record(kinds []string) []string {
	record := []string{""}
	if u.Start != nil {
		record[0] = u.Start.Format(time.RFC3339)
	}
	for _, name := range []*string{u.Namespace, u.Script, u.Tag, u.Plan} {
		text := ""
		if name != nil {
			text = *name
		}
		record = append(record, text)
	}
	number := func(n uint64) { record = append(record, strconv.FormatUint(n, 10)) }
	for _, n := range []uint64{u.Requests, u.Calls, u.Assets, uint64(u.CPU), uint64(u.CPUDispatch), uint64(u.CPUUser), uint64(u.CPUOutbound), uint64(u.Wall),
		u.Subrequests, u.IngressReceived, u.IngressSent, u.EgressReceived, u.EgressSent} {
		number(n)
	}
	for _, kind := range kinds {
		number(u.Errors[kind])
	}
	return record
}
