package control

import (
	"bytes"
	"encoding/json"

	"switchyard/engine"
)

const pathDatasets = pathAccount + "/analytics_engine/datasets"

func (s *server) datasetEndpoints() []row {
	return []row{
		{"GET", pathDatasets, s.listDatasets},
		{"GET", pathDatasets + "/{dataset}", s.getDataPoints},
		{"DELETE", pathDatasets + "/{dataset}", s.deleteDataset},
		{"", pathAccount + "/analytics_engine/sql", absent("The SQL API of Analytics Engine")},
	}
}

type datasetJSON struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// datasetsInfo says besides how many points were dropped since the start, because they could not be written in time.
type datasetsInfo struct {
	Count   int    `json:"count"`
	Dropped uint64 `json:"dropped_points"`
}

func (s *server) listDatasets(*call) (any, error) {
	all, err := s.Platform.Datasets()
	if err != nil {
		return nil, err
	}
	items := collect(all, func(d engine.Dataset) datasetJSON { return datasetJSON(d) })
	return list{items, datasetsInfo{len(items), s.Platform.DroppedPoints()}}, nil
}

// Points of one answer, and what they may take.
const (
	dataPoints         = 10_000
	maxDataPoints      = 100_000
	maxDataPointsBytes = 32 << 20 // bytes
)

// pointsInfo says whether there is more; the time of the last point is where to go on.
type pointsInfo struct {
	Count int  `json:"count"`
	More  bool `json:"more"`
}

// getDataPoints answers as JSON, or with ?format=ndjson as one document a line.
func (s *server) getDataPoints(c *call) (any, error) {
	q, limit, err := c.dataQuery()
	if err != nil {
		return nil, err
	}
	var lines [][]byte
	size, more := 0, false
	err = s.Platform.DataPoints(q, func(p engine.DataPoint) bool {
		text, err := json.Marshal(p)
		if err != nil {
			panic("BUG: a data point does not encode: " + err.Error())
		}
		if more = len(lines) == limit || size+len(text) > maxDataPointsBytes; more {
			return false
		}
		lines, size = append(lines, text), size+len(text)
		return true
	})
	if err != nil {
		return nil, err
	}
	if c.query("format") == "ndjson" {
		return raw{contentType: "application/x-ndjson", body: bytes.Join(append(lines, nil), []byte("\n"))}, nil
	}
	return list{collect(lines, func(text []byte) json.RawMessage { return text }), pointsInfo{len(lines), more}}, nil
}

func (c *call) dataQuery() (q engine.DataQuery, limit int, err error) {
	q.Dataset, limit = c.param("dataset"), dataPoints
	if q.From, err = c.queryTime("from"); err != nil {
		return q, 0, err
	}
	if q.To, err = c.queryTime("to"); err != nil {
		return q, 0, err
	}
	if format := c.query("format"); format != "" && format != "json" && format != "ndjson" {
		return q, 0, refuse("format: " + quote(format) + ` is neither "json" nor "ndjson"`)
	}
	if values := c.r.URL.Query(); values.Has("index") {
		index := values.Get("index")
		q.Index = &index
	}
	err = c.queryNumber("limit", &limit, maxDataPoints)
	return q, limit, err
}

func (s *server) deleteDataset(c *call) (any, error) {
	return noResult, s.Platform.DeleteDataset(c.context(), c.param("dataset"))
}
