package engine

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"switchyard/engine/store"
)

// Dataset is what analytics_engine bindings have written under one name.
type Dataset struct {
	Name  string
	Bytes int64
}

// Datasets returns the datasets by name.
func (e *Engine) Datasets() ([]Dataset, error) {
	all, err := e.store.Datasets()
	list := make([]Dataset, len(all))
	for i, d := range all {
		list[i] = Dataset(d)
	}
	return list, err
}

// DroppedPoints counts the points since the start that were lost: they came faster than they could be written, or the
// disk failed.
func (e *Engine) DroppedPoints() uint64 { return e.analytics.dropped.Load() }

// DataQuery asks for points. Zero means any.
type DataQuery struct {
	Dataset  string
	From, To time.Time // from From on, before To
	Index    *string
}

// DataPoints calls f with the points that q asks for, in the order in which they were written, until f returns false.
// What was written in the last second is among them.
func (e *Engine) DataPoints(q DataQuery, f func(DataPoint) bool) error {
	if err := checkName("dataset", q.Dataset); err != nil {
		return err
	}
	e.analytics.settle()
	var failed error
	err := e.store.Data(q.Dataset, q.From, func(c store.DataChunk) bool {
		for _, text := range c.Points {
			var p DataPoint
			if failed = json.Unmarshal(text, &p); failed != nil {
				return false
			}
			if !q.matches(&p) {
				continue
			}
			if !f(p) {
				return false
			}
		}
		return q.To.IsZero() || c.At.Before(q.To.Add(time.Minute)) // a chunk is not written later than that
	})
	return errors.Join(err, failed)
}

func (q *DataQuery) matches(p *DataPoint) bool {
	return !p.Time.Before(q.From) && (q.To.IsZero() || p.Time.Before(q.To)) && (q.Index == nil || *q.Index == p.Index)
}

// DeleteDataset removes all points of a dataset; what Workers write later begins it anew.
func (e *Engine) DeleteDataset(ctx context.Context, name string) error {
	if err := checkName("dataset", name); err != nil {
		return err
	}
	e.analytics.settle()
	return storeError(e.store.DropData(ctx, name))
}
