package loadtest

import (
	"embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

//go:embed workers
var workers embed.FS

// kind is what a tenant's Worker does. In scenarios it is NAME or NAME:PARAMETER.
//
// Every answer holds the stamp of its tenant, version and request, at a known place, so that an
// answer meant for somebody else cannot pass:
//
//	lt-CLASS-TENANT VVVVVV SSSSSSSSSSSS
type kind struct {
	name      string
	parameter int
	file      string // in workers
	before    string // of the stamp, in the body
	after     string
	repeat    int  // how often the body has all three
	killed    bool // ends by its CPU limit, parameter ms
}

// kinds are the Workers that tenants can be, with the range of their parameter.
var kinds = []struct {
	name               string
	least, most, usual int
	does               string
}{
	{"js-hello", 0, 0, 0, "JavaScript that answers at once"},
	{"wasm-hello", 0, 0, 0, "the same in WebAssembly"},
	{"json", 1, 1000, 25, "parses, changes and writes so many rows, about 60 bytes each"},
	{"cpu", 1, 10_000, 5, "computes so many ms"},
	{"killer", 1, 10_000, 10, "an endless loop with a CPU limit of so many ms"},
	{"fanout", 1, 50, 3, "so many fetches at once to the scenario's origin"},
	{"stream", 1, 1000, 8, "so many chunks, 2 ms apart"},
}

// KindTable describes the kinds, for a person.
func KindTable() string {
	var b strings.Builder
	for _, k := range kinds {
		name := k.name
		if k.most > 0 {
			name += fmt.Sprintf(":%d", k.usual)
		}
		fmt.Fprintf(&b, "  %-12s %s\n", name, k.does)
	}
	return b.String()
}

func parseKind(text string) (kind, error) {
	name, number, given := strings.Cut(text, ":")
	for _, k := range kinds {
		if k.name != name {
			continue
		}
		n := k.usual
		if given {
			var err error
			if n, err = strconv.Atoi(number); err != nil || n < k.least || n > k.most || k.most == 0 {
				return kind{}, fmt.Errorf("%q: the number is not from %d to %d", text, k.least, k.most)
			}
		}
		return newKind(name, n), nil
	}
	return kind{}, fmt.Errorf("%q is no kind of Worker; there are:\n%s", text, KindTable())
}

func newKind(name string, parameter int) kind {
	k := kind{name: name, parameter: parameter, file: name + ".js", after: "\n", repeat: 1}
	switch name {
	case "wasm-hello":
		k.file = "hello.wasm"
	case "json":
		k.before, k.after = `{"who":"`, `","rows":[`+jsonRows(parameter)+"]}"
	case "stream":
		k.repeat = parameter
	case "killer":
		k.killed = true
	}
	return k
}

// jsonRows is what workers/json.js makes of its rows.
func jsonRows(n int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"id":%d,"name":"article %d","qty":%d,"price":%d,"total":%d}`, i, i, i%7, 3*i, i%7*3*i)
	}
	return strings.Join(rows, ",")
}

func (k *kind) String() string {
	if k.parameter == 0 {
		return k.name
	}
	return fmt.Sprintf("%s:%d", k.name, k.parameter)
}

// source is the Worker's main module for one tenant and version. loops are turns of cpu.js per ms.
func (k *kind) source(who string, loops int) (name string, code []byte) {
	code, err := workers.ReadFile("workers/" + k.file)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	if k.file == "hello.wasm" {
		return k.file, code
	}
	head := fmt.Sprintf("const WHO = %q;\nconst PARAMETER = %d;\nconst LOOPS = %d;\n", who, k.parameter, k.parameter*loops)
	return k.file, append([]byte(head), code...)
}

// mix shares tenants out to kinds by weight.
type mix struct {
	kinds []kind
	upTo  []float64
}

func newMix(weights map[string]float64) (*mix, error) {
	m, sum := &mix{}, 0.0
	var names []string
	for name := range weights {
		names = append(names, name)
	}
	slices.Sort(names) // the same seed, the same tenants
	for _, name := range names {
		k, err := parseKind(name)
		if err != nil {
			return nil, fmt.Errorf("kinds: %w", err)
		}
		if w := weights[name]; !(w > 0 && w <= 1e6) {
			return nil, fmt.Errorf("kinds: the weight of %q, %v, is not above 0 and at most 1e6", name, w)
		}
		sum += weights[name]
		m.kinds, m.upTo = append(m.kinds, k), append(m.upTo, sum)
	}
	if len(m.kinds) > 100 {
		return nil, errors.New("kinds: more than 100")
	}
	return m, nil
}

// assign gives each of n tenants its kind. Shares are kept exactly at every prefix, up to
// rounding: popular tenants are of all kinds too.
func (m *mix) assign(n int, random *rand.Rand) []uint8 {
	out, given := make([]uint8, n), make([]float64, len(m.kinds))
	total, offset := m.upTo[len(m.upTo)-1], random.Float64()
	for i := range out {
		best, most := 0, -1e18
		for k := range m.kinds {
			share := m.upTo[k] / total
			if k > 0 {
				share -= m.upTo[k-1] / total
			}
			if owed := share*(float64(i)+offset+1) - given[k]; owed > most {
				best, most = k, owed
			}
		}
		out[i] = uint8(best)
		given[best]++
	}
	return out
}

// Shares is which part of a class's requests goes to each kind of Worker, by the popularity of the
// tenants that have it. Tenants that are kept cold are left out.
func (s *Scenario) Shares(class int) map[string]float64 {
	c := newCrowds(s)[class]
	p := newPopularity(&c.Tenants, s.random(class, streamTenants))
	out, before, total := map[string]float64{}, 0.0, p.upTo[len(p.upTo)-1]
	for i, upTo := range p.upTo {
		if k := c.kind(i + 1); k != nil {
			out[k.String()] += (upTo - before) / total
		}
		before = upTo
	}
	return out
}
