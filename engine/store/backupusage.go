package store

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// usageLine is a row of usage in a backup, with what stands in its key.
type usageLine struct {
	Span        time.Duration `json:"span_ns"`
	Start       time.Time     `json:"start"`
	NamespaceID string        `json:"namespace_id,omitempty"`
	ScriptID    string        `json:"script_id,omitempty"`
	Usage
}

const maxUsageLines = 1000 // of one file of a backup, and of one commit when it is restored

func (s *Store) backupUsage(t *tar.Writer) error {
	var buf bytes.Buffer
	lines, files := 0, 0
	flush := func() error {
		if lines == 0 {
			return nil
		}
		files++
		err := addFile(t, fmt.Sprintf("%s%08d", backupUsage, files), buf.Bytes())
		buf.Reset()
		lines = 0
		return err
	}
	enc := json.NewEncoder(&buf)
	err := s.each(tableBounds(tableUsage), func(key, value []byte) error {
		u, err := decodeUsage(key, value)
		if err != nil {
			return err
		}
		if err := enc.Encode(usageLine{u.Span, u.Start, u.NamespaceID, u.ScriptID, u}); err != nil {
			return err
		}
		if lines++; lines == maxUsageLines {
			return flush()
		}
		return nil
	})
	return errors.Join(err, flush())
}

func (r *restore) usage(body []byte) error {
	var rows []Usage
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	for {
		var l usageLine
		if err := dec.Decode(&l); err == io.EOF {
			return r.store.PutUsage(r.ctx, rows, nil)
		} else if err != nil {
			return err
		}
		u := l.Usage
		u.Span, u.Start, u.NamespaceID, u.ScriptID = l.Span, l.Start, l.NamespaceID, l.ScriptID
		if rows = append(rows, u); len(rows) > maxUsageLines {
			return errors.New("has more lines than a backup writes")
		}
	}
}
