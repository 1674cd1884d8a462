package store

import (
	"errors"
	"runtime"

	"github.com/cockroachdb/pebble/v2"
)

// chunkRows is how many rows one goroutine decodes at a time.
const chunkRows = 256

// chunk is some rows in key order, copied from the database, and what became of them.
type chunk struct {
	keys, values [][]byte
	records      []Record
	err          error         // of the row after the last record
	done         chan struct{} // closed when records and err are set
}

func newChunk() *chunk { return &chunk{done: make(chan struct{})} }

func (c *chunk) decode() {
	defer close(c.done)
	for i, key := range c.keys {
		r, err := decodeRow(key, c.values[i])
		if err != nil {
			c.err = err
			return
		}
		c.records = append(c.records, r)
	}
}

var errEnough = errors.New("the reader stopped")

// loadRange calls f with the records in bounds, in key order. Decoding is most of the work
// of a start (100,000 scripts: 0.7 s of CPU, beside 0.1 s in Pebble; BenchmarkLoad), so it is
// spread over the cores; f is called on the caller's goroutine.
//
// loadRange starts the reader and the decoders. When f fails it stops the reader by closing
// quit, and it returns only when all have ended.
func (s *Store) loadRange(bounds *pebble.IterOptions, f func(Record) error) (err error) {
	var (
		chunks = make(chan *chunk, runtime.GOMAXPROCS(0)) // in order; its capacity bounds what is decoded ahead
		quit   = make(chan struct{})
		failed error // of the reader, set before chunks is closed
	)
	go func() {
		failed = s.readChunks(bounds, chunks, quit)
		close(chunks)
	}()
	for c := range chunks {
		<-c.done
		if err == nil {
			if err = c.deliver(f); err != nil {
				close(quit)
			}
		}
	}
	if err == nil {
		err = failed
	}
	return err
}

func (c *chunk) deliver(f func(Record) error) error {
	for _, r := range c.records {
		if err := f(r); err != nil {
			return err
		}
	}
	return c.err
}

// readChunks copies the rows into chunks, has each decoded and sends it, until quit.
func (s *Store) readChunks(bounds *pebble.IterOptions, chunks chan<- *chunk, quit <-chan struct{}) error {
	c := newChunk()
	send := func() error {
		go c.decode()
		select {
		case chunks <- c:
		case <-quit:
			return errEnough
		}
		c = newChunk()
		return nil
	}
	err := s.each(bounds, func(key, value []byte) error {
		row := append(append(make([]byte, 0, len(key)+len(value)), key...), value...)
		c.keys = append(c.keys, row[:len(key):len(key)])
		c.values = append(c.values, row[len(key):])
		if len(c.keys) < chunkRows {
			return nil
		}
		return send()
	})
	if errors.Is(err, errEnough) {
		return err
	}
	return errors.Join(err, send())
}
