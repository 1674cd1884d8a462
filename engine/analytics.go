package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"switchyard/engine/store"
	"switchyard/isolate"
)

// DataPoint is what a Worker wrote to a dataset by an analytics_engine binding.
type DataPoint struct {
	Time    time.Time `json:"timestamp"`
	Index   string    `json:"index"`
	Blobs   []string  `json:"blobs"`
	Doubles []float64 `json:"doubles"`
}

// Ceilings of a point and of a dataset.
const (
	maxPointValues = 20
	maxPointBlobs  = 16 << 10 // bytes of a point's blobs together
	maxPointIndex  = 96       // bytes
	maxWritePoints = 250      // of one call
	datasetAge     = 90 * 24 * time.Hour
	maxDataset     = 256 << 20 // bytes before compression: then the oldest go
	maxUnwritten   = 8 << 20   // bytes of points in memory: then new ones are dropped
	maxChunkPoints = 1000
	analyticsEvery = time.Second
	trimAfter      = 32 << 20 // bytes written
)

// analytics gathers points in memory and writes them once a second: a request waits for nothing. What a crash takes is
// the last second.
type analytics struct {
	store   *store.Store
	logger  *slog.Logger
	dropped atomic.Uint64
	last    time.Time          // of the chunk written last; of run alone
	written int                // bytes since the last trim; of run alone
	asked   chan chan struct{} // closes what it gets, once all is written
	stop    chan struct{}
	done    chan struct{}

	mu struct {
		sync.Mutex
		points map[string][]json.RawMessage // by dataset
		bytes  int
	}
}

// newAnalytics starts the goroutine that writes; close stops it and waits.
func newAnalytics(st *store.Store, l *slog.Logger) *analytics {
	a := &analytics{store: st, logger: l, asked: make(chan chan struct{}), stop: make(chan struct{}), done: make(chan struct{})}
	a.mu.points = map[string][]json.RawMessage{}
	go a.run()
	return a
}

func (a *analytics) close() {
	close(a.stop)
	<-a.done
}

func (a *analytics) run() {
	defer close(a.done)
	tick := time.NewTicker(analyticsEvery)
	defer tick.Stop()
	for {
		select {
		case <-a.stop:
			a.flush()
			return
		case asked := <-a.asked:
			a.flush()
			close(asked)
		case <-tick.C:
			a.flush()
		}
	}
}

// add takes a point, or drops it where too many wait already.
func (a *analytics) add(dataset string, point json.RawMessage) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.bytes+len(point) > maxUnwritten {
		a.dropped.Add(1)
		return
	}
	a.mu.points[dataset] = append(a.mu.points[dataset], point)
	a.mu.bytes += len(point)
}

// flush writes what waits.
func (a *analytics) flush() {
	a.mu.Lock()
	points, size := a.mu.points, a.mu.bytes
	a.mu.points, a.mu.bytes = map[string][]json.RawMessage{}, 0
	a.mu.Unlock()
	if len(points) == 0 {
		return
	}
	var chunks []store.DataChunk
	count := 0
	for dataset, all := range points {
		count += len(all)
		for len(all) > 0 {
			n := min(len(all), maxChunkPoints)
			chunks = append(chunks, store.DataChunk{Dataset: dataset, At: a.next(), Points: all[:n]})
			all = all[n:]
		}
	}
	if err := a.store.PutData(context.Background(), chunks); err != nil {
		a.dropped.Add(uint64(count))
		a.logger.Warn("engine: data points were lost", "count", count, "reason", err)
		return
	}
	if a.written += size; a.written > trimAfter {
		a.written = 0
		a.trim(context.Background())
	}
}

// settle writes what waits now, for somebody who is about to read.
func (a *analytics) settle() {
	asked := make(chan struct{})
	select {
	case a.asked <- asked:
		<-asked
	case <-a.done:
	}
}

// next is a time that no chunk has yet.
func (a *analytics) next() time.Time {
	now := time.Now()
	if !now.After(a.last) {
		now = a.last.Add(1)
	}
	a.last = now
	return now
}

// trim removes what is too old or too much.
func (a *analytics) trim(ctx context.Context) {
	if err := a.store.TrimData(ctx, time.Now().Add(-datasetAge), maxDataset); err != nil && ctx.Err() == nil {
		a.logger.Warn("engine: old data points stay on the disk", "reason", err)
	}
}

// analyticsBinding is one analytics_engine binding. A call's body is a JSON array of points.
type analyticsBinding struct {
	analytics *analytics
	dataset   string
}

type writtenPoint struct {
	Indexes []string  `json:"indexes"`
	Blobs   []string  `json:"blobs"`
	Doubles []float64 `json:"doubles"`
}

var errPoints = errors.New("analytics_engine: the points are not in the body, whole")

func (b *analyticsBinding) answer(_ context.Context, _ *invocation, sub *isolate.Subrequest) (*isolate.Response, error) {
	defer sub.Request.Release()
	if sub.Request.Body.Stream != nil {
		return nil, errPoints
	}
	var points []writtenPoint
	if err := json.Unmarshal(sub.Request.Body.Bytes, &points); err != nil {
		return nil, fmt.Errorf("analytics_engine: %w", err)
	}
	if len(points) > maxWritePoints {
		return nil, fmt.Errorf("analytics_engine: %d points at once, at most %d are allowed", len(points), maxWritePoints)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	texts := make([]json.RawMessage, len(points))
	for i := range points {
		if err := points[i].check(); err != nil {
			return nil, err
		}
		texts[i] = points[i].stored(now)
	}
	for _, text := range texts {
		b.analytics.add(b.dataset, text)
	}
	return answered(200, nil), nil
}

func (p *writtenPoint) check() error {
	size := 0
	for _, blob := range p.Blobs {
		size += len(blob)
	}
	switch {
	case len(p.Indexes) > 1:
		return errors.New("writeDataPoint(): Maximum of 1 indexes supported.")
	case len(p.Indexes) == 1 && len(p.Indexes[0]) > maxPointIndex:
		return fmt.Errorf("writeDataPoint(): Size of indexes exceeds %d bytes.", maxPointIndex)
	case len(p.Blobs) > maxPointValues:
		return fmt.Errorf("writeDataPoint(): Maximum of %d blobs supported.", maxPointValues)
	case len(p.Doubles) > maxPointValues:
		return fmt.Errorf("writeDataPoint(): Maximum of %d doubles supported.", maxPointValues)
	case size > maxPointBlobs:
		return fmt.Errorf("writeDataPoint(): Cumulative size of blobs exceeds %d bytes.", maxPointBlobs)
	}
	return nil
}

func (p *writtenPoint) stored(now time.Time) json.RawMessage {
	d := DataPoint{Time: now, Blobs: append([]string{}, p.Blobs...), Doubles: append([]float64{}, p.Doubles...)}
	if len(p.Indexes) == 1 {
		d.Index = p.Indexes[0]
	}
	text, err := json.Marshal(d)
	if err != nil {
		panic("BUG: a data point does not encode: " + err.Error())
	}
	return text
}
