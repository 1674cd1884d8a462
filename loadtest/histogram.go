package loadtest

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histograms run from 1 µs to 2 minutes with three digits, 150 KiB each.
const longest = 120_000_000 // µs

type histogram struct{ *hdrhistogram.Histogram }

func newHistogram() histogram { return histogram{hdrhistogram.New(1, longest, 3)} }

func (h histogram) record(d time.Duration) {
	h.RecordValue(min(max(d.Microseconds(), 1), longest)) // in range: there is no error
}

// Latency is a distribution, in microseconds.
type Latency struct {
	N    int64   `json:"n"`
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
	// HDR is the whole distribution, lossless: V2 compressed, base64, as HdrHistogram's other
	// tools read it. Empty in windows.
	HDR string `json:"hdr,omitempty"`
}

// summary leaves the distribution itself out.
func (h histogram) summary() Latency {
	if h.TotalCount() == 0 {
		return Latency{}
	}
	v := h.ValueAtPercentiles([]float64{50, 90, 99, 99.9})
	return Latency{
		N: h.TotalCount(), Mean: h.Mean(), Max: float64(h.Max()),
		P50: float64(v[50]), P90: float64(v[90]), P99: float64(v[99]), P999: float64(v[99.9]),
	}
}

func (h histogram) latency() Latency {
	l := h.summary()
	if l.N > 0 {
		doc, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			panic("BUG: " + err.Error())
		}
		l.HDR = string(doc)
	}
	return l
}

// histogram is the distribution again; empty where HDR is.
func (l *Latency) histogram() (histogram, error) {
	if l.HDR == "" {
		return newHistogram(), nil
	}
	h, err := hdrhistogram.Decode([]byte(l.HDR))
	return histogram{h}, err
}

// Bar is a range of values with its count.
type Bar struct {
	From, To float64 // µs
	Count    int64
}

// Bars are the ranges that have something in them, shortest first.
func (l *Latency) Bars() ([]Bar, error) {
	h, err := l.histogram()
	if err != nil {
		return nil, err
	}
	var bars []Bar
	for _, b := range h.Distribution() {
		if b.Count > 0 {
			bars = append(bars, Bar{float64(b.From), float64(b.To), b.Count})
		}
	}
	return bars, nil
}

// MergeLatencies adds distributions up. Percentiles are never averaged.
func MergeLatencies(parts ...Latency) (Latency, error) {
	sum := newHistogram()
	for i := range parts {
		h, err := parts[i].histogram()
		if err != nil {
			return Latency{}, err
		}
		sum.Merge(h.Histogram)
	}
	return sum.latency(), nil
}
