package store

import (
	"archive/tar"
	"encoding/json"
	"fmt"
	"time"
)

// dataFile is a chunk of a dataset in a backup.
type dataFile struct {
	Dataset string            `json:"dataset"`
	At      time.Time         `json:"at"`
	Points  []json.RawMessage `json:"points"`
}

func (s *Store) backupData(t *tar.Writer) error {
	files := 0
	return s.each(tableBounds(tableData), func(key, value []byte) error {
		c, err := decodeData(key, value)
		if err != nil {
			return err
		}
		body, err := json.Marshal(dataFile(c))
		if err != nil {
			return err
		}
		files++
		return addFile(t, fmt.Sprintf("%s%08d", backupData, files), body)
	})
}

func (r *restore) data(body []byte) error {
	var f dataFile
	if err := json.Unmarshal(body, &f); err != nil {
		return err
	}
	return r.store.PutData(r.ctx, []DataChunk{DataChunk(f)})
}
