package engine

import (
	"fmt"
	"io"
	"sync/atomic"

	"switchyard/engine/store"
	"switchyard/isolate"
)

// keptShare is the part of the cache that one file may take. The chunks of a larger one are read
// for every request, so that it does not drive out everything else.
const keptShare = 8

// chunk returns one chunk of a file of owner's, and whether it was in memory. It is shared: nobody
// writes to it.
func (a *assets) chunk(owner string, file *store.Asset, i int) (bytes []byte, kept bool, err error) {
	key := assetKey{owner, file.Chunk(i)}
	if file.Size > a.kept.total/keptShare {
		bytes, err = a.store.Blob(key.hash)
		return bytes, false, storeError(err)
	}
	if found, ok := a.kept.get(key); ok {
		return found.([]byte), true, nil
	}
	if bytes, err = a.store.Blob(key.hash); err != nil {
		return nil, false, fmt.Errorf("asset %q: %w", file.Path, storeError(err))
	}
	a.kept.put(key, bytes, int64(len(bytes)))
	return bytes, false, nil
}

// body returns the bytes first to end of a file, and whether they begin in memory. What spans
// chunks is a stream: it holds one of them at a time.
func (a *assets) body(owner string, file *store.Asset, first, end int64) (body isolate.Body, kept bool, err error) {
	if first >= end {
		return isolate.Body{}, true, nil
	}
	i := int(first / store.ChunkSize)
	bytes, kept, err := a.chunk(owner, file, i)
	if err != nil {
		return isolate.Body{}, false, err
	}
	from := first - int64(i)*store.ChunkSize
	if to := from + end - first; to <= int64(len(bytes)) {
		return isolate.Body{Bytes: bytes[from:to:to]}, kept, nil
	}
	s := &assetStream{assets: a, owner: owner, file: *file, next: i + 1, bytes: bytes[from:], left: end - first}
	return isolate.Body{Stream: s, Length: end - first}, kept, nil
}

// assetStream reads a file chunk by chunk.
type assetStream struct {
	assets *assets
	owner  string
	file   store.Asset
	next   int    // chunk
	bytes  []byte // of the chunk before it, unread
	left   int64
	closed atomic.Bool
}

func (s *assetStream) Read(p []byte) (n int, err error) {
	switch {
	case s.closed.Load():
		return 0, io.ErrClosedPipe
	case s.left == 0:
		return 0, io.EOF
	case len(s.bytes) == 0:
		if s.bytes, _, err = s.assets.chunk(s.owner, &s.file, s.next); err != nil {
			return 0, err
		}
		s.next++
	}
	n = copy(p, s.bytes[:min(int64(len(s.bytes)), s.left)])
	s.bytes, s.left = s.bytes[n:], s.left-int64(n)
	return n, nil
}

// Close may come from another goroutine: what the stream holds is left to the next Read.
func (s *assetStream) Close() error {
	s.closed.Store(true)
	return nil
}
