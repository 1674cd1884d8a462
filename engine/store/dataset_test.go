package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

func dataChunk(dataset string, second int64, size int) DataChunk {
	return DataChunk{Dataset: dataset, At: time.Unix(second, 0), Points: []json.RawMessage{fmt.Appendf(nil, "%q", fmt.Sprintf("%*d", size, second))}}
}

func readData(t *testing.T, s *Store, dataset string, from int64) (text string) {
	t.Helper()
	must(t, s.Data(dataset, time.Unix(from, 0), func(c DataChunk) bool {
		text += fmt.Sprint(c.At.Unix(), " ")
		return true
	}))
	return text
}

func TestData(t *testing.T) {
	dir := t.TempDir()
	s := open(t, nil, onDisk(filepath.Join(dir, "one")))
	must(t, s.PutData(ctx, []DataChunk{dataChunk("a", 1, 10), dataChunk("a", 2, 3000), dataChunk("ab", 1, 10), dataChunk("a", 3, 10), dataChunk("a", 4, 10)}))
	if got := readData(t, s, "a", 0) + readData(t, s, "a", 3) + readData(t, s, "ab", 0) + readData(t, s, "b", 0); got != "1 2 3 4 3 4 1 " {
		t.Errorf("read %q", got)
	}
	must(t, s.TrimData(ctx, time.Unix(2, 0), 1<<20))
	if got := readData(t, s, "a", 0) + readData(t, s, "ab", 0); got != "2 3 4 " {
		t.Errorf("after a trim by age: %q", got)
	}
	must(t, s.TrimData(ctx, time.Unix(0, 0), 100))
	if got := readData(t, s, "a", 0); got != "3 4 " {
		t.Errorf("after a trim by size: %q", got)
	}
	all, err := s.Datasets()
	if must(t, err); len(all) != 1 || all[0].Name != "a" || all[0].Bytes < 20 {
		t.Errorf("datasets %v", all)
	}
	wantHealthy(t, s)
	var file bytes.Buffer
	must(t, s.Backup(&file))
	must(t, s.DropData(ctx, "a"))
	if got := readData(t, s, "a", 0); got != "" {
		t.Errorf("after a drop: %q", got)
	}
	must(t, s.Close())
	must(t, Restore(ctx, Options{Dir: filepath.Join(dir, "two")}, &file))
	s = open(t, nil, onDisk(filepath.Join(dir, "two")))
	defer s.Close()
	if got := readData(t, s, "a", 0); got != "3 4 " {
		t.Errorf("restored %q", got)
	}
}
