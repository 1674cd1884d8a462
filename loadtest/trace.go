package loadtest

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Trace is who was asked when, somewhere else. Its functions become tenants, the most asked first.
type Trace struct {
	Functions int
	Arrivals  []Arrival // in the order of time
	cpu       []int     // ms by tenant - 1; nil where the Workers are the scenario's
}

// Arrival is one request of a trace.
type Arrival struct {
	At     time.Duration
	Tenant int // from 1
}

// TraceOptions say what of a trace is sent, and how fast.
type TraceOptions struct {
	Speed    float64       // of time: 60 sends a minute's requests in a second. Default: 1
	Scale    float64       // share of requests that are sent, chosen at random. Default: 1
	From     time.Duration // of the trace's time that is left out. Default: none
	Trigger  string        // 2019: only functions with this trigger. Default: all
	CPUScale float64       // 2021: CPU ms per ms that a function took on average; 0 leaves the kinds to the scenario
	Most     int           // arrivals that are read. Default: 1,000,000
	Seed     uint64        // Default: 1
}

func (o *TraceOptions) complete() error {
	orDefault(&o.Speed, 1)
	orDefault(&o.Scale, 1)
	orDefault(&o.Most, 1_000_000)
	orDefault(&o.Seed, 1)
	if !(o.Speed > 0 && o.Speed <= 1e6) || !(o.Scale > 0 && o.Scale <= 1) || o.From < 0 || !(o.CPUScale >= 0 && o.CPUScale <= 1000) || o.Most < 1 || o.Most > 20_000_000 {
		return fmt.Errorf("trace: speed %v, scale %v, from %v, cpu scale %v, most %d: out of range", o.Speed, o.Scale, o.From, o.CPUScale, o.Most)
	}
	return nil
}

// ReadTrace reads either format of the public Azure Functions traces, told apart by the first line:
//
//	2019, invocations per function:  HashOwner,HashApp,HashFunction,Trigger,1,2,…,1440   counts by minute
//	2021, invocations:               app,func,end_timestamp,duration                     seconds
func ReadTrace(in io.Reader, o TraceOptions) (*Trace, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	rows := csv.NewReader(in)
	rows.ReuseRecord = true
	head, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	b := &traceBuilder{options: o, random: rand.New(rand.NewPCG(o.Seed, 2)), ids: map[string]int{}}
	switch {
	case len(head) > 4 && head[0] == "HashOwner" && head[3] == "Trigger":
		err = b.read2019(rows)
	case strings.Join(head, ",") == "app,func,end_timestamp,duration":
		err = b.read2021(rows)
	default:
		return nil, fmt.Errorf("trace: the first line is that of neither format: %.80q", strings.Join(head, ","))
	}
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	return b.finish()
}

// traceBuilder gathers arrivals by function, numbered as they come.
type traceBuilder struct {
	options  TraceOptions
	random   *rand.Rand
	ids      map[string]int
	counts   []int
	seconds  []float64 // sum of durations
	arrivals []Arrival
	full     bool
}

func (b *traceBuilder) id(name string) int {
	id, known := b.ids[name]
	if !known {
		id = len(b.counts)
		b.ids[name] = id
		b.counts, b.seconds = append(b.counts, 0), append(b.seconds, 0)
	}
	return id
}

// add takes one invocation at a time of the trace.
func (b *traceBuilder) add(id int, at, took float64) {
	at -= b.options.From.Seconds()
	if at < 0 || b.full || b.options.Scale < 1 && b.random.Float64() >= b.options.Scale {
		return
	}
	if len(b.arrivals) >= b.options.Most {
		b.full = true
		return
	}
	b.counts[id]++
	b.seconds[id] += took
	b.arrivals = append(b.arrivals, Arrival{time.Duration(at / b.options.Speed * float64(time.Second)), id})
}

// read2019 spreads a minute's invocations over it at random: what a Poisson process does.
func (b *traceBuilder) read2019(rows *csv.Reader) error {
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if b.options.Trigger != "" && row[3] != b.options.Trigger {
			continue
		}
		id := b.id(row[0] + "/" + row[1] + "/" + row[2])
		for minute, text := range row[4:] {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 {
				line, _ := rows.FieldPos(4 + minute)
				return fmt.Errorf("line %d, minute %d: %q is not a count", line, minute+1, text)
			}
			for range min(n, b.options.Most+1) {
				b.add(id, 60*(float64(minute)+b.random.Float64()), 0)
			}
		}
	}
}

// read2021 has the end and the duration of each invocation.
func (b *traceBuilder) read2021(rows *csv.Reader) error {
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		end, err1 := strconv.ParseFloat(row[2], 64)
		took, err2 := strconv.ParseFloat(row[3], 64)
		if err1 != nil || err2 != nil || !(took >= 0 && took < 1e6) || !(end >= 0 && end < 1e9) {
			line, _ := rows.FieldPos(2)
			return fmt.Errorf("line %d: %q and %q are not times in seconds", line, row[2], row[3])
		}
		b.add(b.id(row[0]+"/"+row[1]), math.Max(0, end-took), took)
	}
}

// finish numbers functions by how often they are asked and sorts arrivals by time.
func (b *traceBuilder) finish() (*Trace, error) {
	if b.full {
		return nil, fmt.Errorf("trace: more than %d requests: send a share of them, or a later part, or raise the number", b.options.Most)
	}
	order := make([]int, 0, len(b.counts))
	for id, n := range b.counts {
		if n > 0 {
			order = append(order, id)
		}
	}
	if len(order) == 0 {
		return nil, errors.New("trace: nothing to send is in it")
	}
	if len(order) > maxTenants {
		return nil, fmt.Errorf("trace: %d functions, more than %d", len(order), maxTenants)
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(b.counts[y], b.counts[x]) })
	t := &Trace{Functions: len(order), Arrivals: b.arrivals}
	number := make([]int, len(b.counts))
	for i, id := range order {
		number[id] = i + 1
		if b.options.CPUScale > 0 {
			t.cpu = append(t.cpu, niceCPU(b.seconds[id]/float64(b.counts[id])*1000*b.options.CPUScale))
		}
	}
	for i := range t.Arrivals {
		t.Arrivals[i].Tenant = number[t.Arrivals[i].Tenant]
	}
	slices.SortStableFunc(t.Arrivals, func(x, y Arrival) int { return cmp.Compare(x.At, y.At) })
	return t, nil
}

// niceCPU rounds ms to 1, 2, 5 … 1,000: so many kinds of Workers are enough.
func niceCPU(ms float64) int {
	for _, step := range []int{1, 2, 5, 10, 20, 50, 100, 200, 500} {
		if ms < 1.5*float64(step) {
			return step
		}
	}
	return 1000
}

// Apply makes the first class of a scenario the trace's.
func (t *Trace) Apply(s *Scenario) {
	s.Trace = t
	length := max(t.Arrivals[len(t.Arrivals)-1].At, time.Second)
	orDefault(&s.Duration, min(length+time.Millisecond, maxDuration)) // the last one too
	c := &s.Classes[0]
	c.VUs, c.Arrivals = 0, Arrivals{Rate: math.Max(0.001, math.Min(maxRate, float64(len(t.Arrivals))/length.Seconds()))}
	c.Tenants.Count, c.Tenants.Zipf, c.Tenants.Cold, c.Tenants.ColdCount = t.Functions, 0, 0, 0
}

// kinds are the Workers of the trace's functions: cpu of so many ms.
func (t *Trace) kinds() ([]kind, []uint8) {
	var kinds []kind
	kindOf := make([]uint8, len(t.cpu))
	for i, ms := range t.cpu {
		at := slices.IndexFunc(kinds, func(k kind) bool { return k.parameter == ms })
		if at < 0 {
			at = len(kinds)
			kinds = append(kinds, newKind("cpu", ms))
		}
		kindOf[i] = uint8(at)
	}
	return kinds, kindOf
}

// replay is a trace that is being sent.
type replay struct {
	left []Arrival
}

// next is never once the trace is at its end.
func (r *replay) next() time.Duration {
	if len(r.left) == 0 {
		return never
	}
	return r.left[0].At
}

// take is the tenant of the request that is due.
func (r *replay) take() int {
	t := r.left[0].Tenant
	r.left = r.left[1:]
	return t
}
