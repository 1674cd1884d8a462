package trace

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
)

// Filter says which items a listener wants: those that pass all its elements.
type Filter struct {
	rules []rule
}

// rule is one element of the public API's filters; one of its fields is set.
type rule struct {
	Rate     *float64 `json:"sampling_rate"`
	Outcome  []string `json:"outcome"`
	Method   []string `json:"method"`
	Header   *header  `json:"header"`
	ClientIP []string `json:"client_ip"`
	Query    *string  `json:"query"`
	Script   []string `json:"script"` // ours: of a tail of a namespace
	Tag      []string `json:"tag"`    // ours
}

type header struct {
	Key   string  `json:"key"`
	Query *string `json:"query"`
}

const maxRules = 32

// ParseFilters reads {"filters":[{"outcome":["ok"]},{"sampling_rate":0.1},…]}. The error names the
// element that is at fault.
func ParseFilters(elements []json.RawMessage) (Filter, error) {
	var f Filter
	if len(elements) > maxRules {
		return f, fmt.Errorf("filters: there are %d, at most %d are allowed", len(elements), maxRules)
	}
	for n, text := range elements {
		var r rule
		if err := json.Unmarshal(text, &r); err != nil {
			return f, fmt.Errorf("filters[%d]: %v", n, err)
		}
		if err := r.check(); err != nil {
			return f, fmt.Errorf("filters[%d].%w", n, err)
		}
		f.rules = append(f.rules, r)
	}
	return f, nil
}

func (r *rule) check() error {
	switch {
	case r.Rate != nil && !(*r.Rate >= 0 && *r.Rate <= 1):
		return fmt.Errorf("sampling_rate: %v is not from 0 to 1", *r.Rate)
	case r.Header != nil && r.Header.Key == "":
		return fmt.Errorf("header: key is missing")
	case r.Rate == nil && r.Outcome == nil && r.Method == nil && r.Header == nil && r.ClientIP == nil && r.Query == nil && r.Script == nil && r.Tag == nil:
		return fmt.Errorf("sampling_rate, outcome, method, header, client_ip, query, script or tag is expected")
	}
	for _, outcome := range r.Outcome {
		if !slices.Contains(Outcomes, outcome) && !slices.Contains(foreignOutcomes, outcome) {
			return fmt.Errorf("outcome: %.40q is none of %s", outcome, strings.Join(Outcomes, ", "))
		}
	}
	for _, ip := range r.ClientIP {
		if _, err := netip.ParseAddr(ip); err != nil && ip != "self" {
			return fmt.Errorf("client_ip: %.60q is no address", ip)
		}
	}
	return nil
}

// foreignOutcomes are outcomes of the public API that no call here has.
var foreignOutcomes = []string{"responseStreamDisconnected", "scriptNotFound", "loadShed", "killSwitch", "daemonDown", "exceededWallTime"}

// ResolveSelf replaces the client_ip "self" by the address of who asks.
func (f *Filter) ResolveSelf(addr string) {
	for i := range f.rules {
		for j, ip := range f.rules[i].ClientIP {
			if ip == "self" {
				f.rules[i].ClientIP[j] = addr
			}
		}
	}
}

// Match says whether item passes.
func (f *Filter) Match(item *Item) bool {
	for i := range f.rules {
		if !f.rules[i].match(item) {
			return false
		}
	}
	return true
}

func (r *rule) match(item *Item) bool {
	request := Request{}
	if fetch, ok := item.Event.(*Fetch); ok {
		request = fetch.Request
	}
	return (r.Rate == nil || rand.Float64() < *r.Rate) &&
		oneOf(r.Outcome, item.Outcome) &&
		(r.Method == nil || slices.ContainsFunc(r.Method, func(m string) bool { return strings.EqualFold(m, request.Method) })) &&
		r.Header.match(request.Headers) &&
		oneOf(r.ClientIP, request.Headers["cf-connecting-ip"]) &&
		(r.Query == nil || item.says(*r.Query)) &&
		oneOf(r.Script, item.ScriptName) &&
		(r.Tag == nil || slices.ContainsFunc(r.Tag, func(t string) bool { return slices.Contains(item.Tags, t) }))
}

// oneOf says that value is wanted; an absent list wants all.
func oneOf(wanted []string, value string) bool {
	return wanted == nil || slices.Contains(wanted, value)
}

func (h *header) match(headers map[string]string) bool {
	if h == nil {
		return true
	}
	value, ok := headers[strings.ToLower(h.Key)]
	return ok && (h.Query == nil || strings.Contains(value, *h.Query))
}

// says looks for text in what the Worker logged and threw.
func (i *Item) says(text string) bool {
	for _, l := range i.Logs {
		var parts []any
		json.Unmarshal(l.Message, &parts) // it is an array of ours
		for _, part := range parts {
			s, ok := part.(string)
			if !ok {
				encoded, _ := json.Marshal(part)
				s = string(encoded)
			}
			if strings.Contains(s, text) {
				return true
			}
		}
	}
	return slices.ContainsFunc(i.Exceptions, func(e Exception) bool {
		return strings.Contains(e.Name+": "+e.Message, text)
	})
}
