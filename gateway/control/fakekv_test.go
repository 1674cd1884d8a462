package control

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"switchyard/engine"
)

// fakeKV is a fakePlatform's KV: the pairs of each namespace by key.
type fakeKV struct {
	namespaces map[string]engine.KVNamespace
	pairs      map[string]map[string]engine.KVPair
}

func newFakeKV() fakeKV {
	return fakeKV{map[string]engine.KVNamespace{}, map[string]map[string]engine.KVPair{}}
}

func (f *fakePlatform) KVNamespaces() []engine.KVNamespace {
	return slices.SortedFunc(maps.Values(f.kv.namespaces), func(a, b engine.KVNamespace) int { return strings.Compare(a.Title, b.Title) })
}

func (f *fakePlatform) KVNamespace(id string) (engine.KVNamespace, error) {
	n, ok := f.kv.namespaces[id]
	if !ok {
		return n, fmt.Errorf("%w: %q", engine.ErrKVNamespaceNotFound, id)
	}
	return n, nil
}

func (f *fakePlatform) titleKV(id, title string) (engine.KVNamespace, error) {
	for _, n := range f.kv.namespaces {
		if n.Title == title && n.ID != id {
			return n, fmt.Errorf("%w: %q", engine.ErrKVNamespaceExists, title)
		}
	}
	f.kv.namespaces[id] = engine.KVNamespace{ID: id, Title: title}
	return f.kv.namespaces[id], f.fail
}

func (f *fakePlatform) CreateKVNamespace(_ context.Context, title string) (engine.KVNamespace, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf("CreateKVNamespace %q", title))
	id := fmt.Sprintf("%032x", len(f.kv.namespaces)+1)
	f.kv.pairs[id] = map[string]engine.KVPair{}
	return f.titleKV(id, title)
}

func (f *fakePlatform) RenameKVNamespace(_ context.Context, id, title string) (engine.KVNamespace, error) {
	f.calls = append(f.calls, fmt.Sprintf("RenameKVNamespace %s %q", id, title))
	if n, err := f.KVNamespace(id); err != nil {
		return n, err
	}
	return f.titleKV(id, title)
}

func (f *fakePlatform) DeleteKVNamespace(_ context.Context, id string) error {
	f.calls = append(f.calls, "DeleteKVNamespace "+id)
	_, err := f.KVNamespace(id)
	delete(f.kv.namespaces, id)
	return err
}

func (f *fakePlatform) KVGet(id, key string) (*engine.KVPair, error) {
	if _, err := f.KVNamespace(id); err != nil {
		return nil, err
	}
	p, ok := f.kv.pairs[id][key]
	if !ok {
		return nil, nil
	}
	return &p, nil
}

func (f *fakePlatform) KVPut(_ context.Context, id string, pairs ...engine.KVPair) error {
	if _, err := f.KVNamespace(id); err != nil {
		return err
	}
	for _, p := range pairs {
		f.calls = append(f.calls, fmt.Sprintf("KVPut %q=%q %s %d", p.Key, p.Value, p.Metadata, p.Expiration))
		f.kv.pairs[id][p.Key] = p
	}
	return f.fail
}

func (f *fakePlatform) KVDelete(_ context.Context, id string, keys ...string) error {
	f.calls = append(f.calls, fmt.Sprintf("KVDelete %q", keys))
	_, err := f.KVNamespace(id)
	for _, key := range keys {
		delete(f.kv.pairs[id], key)
	}
	return err
}

func (f *fakePlatform) KVList(id, prefix, after string, limit int) (pairs []engine.KVPair, more bool, err error) {
	for _, key := range slices.Sorted(maps.Keys(f.kv.pairs[id])) {
		if !strings.HasPrefix(key, prefix) || key <= after {
			continue
		}
		if len(pairs) == limit {
			return pairs, true, nil
		}
		pairs = append(pairs, f.kv.pairs[id][key])
	}
	_, err = f.KVNamespace(id)
	return pairs, false, err
}

func (f *fakePlatform) Datasets() ([]engine.Dataset, error) {
	return []engine.Dataset{{Name: "metrics", Bytes: 5}}, f.fail
}

func (f *fakePlatform) DroppedPoints() uint64 { return 3 }

// DataPoints gives three points, whatever the dataset.
func (f *fakePlatform) DataPoints(q engine.DataQuery, give func(engine.DataPoint) bool) error {
	for i := range 3 {
		p := engine.DataPoint{Time: q.From, Index: q.Dataset, Blobs: []string{fmt.Sprint(i)}}
		if q.Index != nil && *q.Index != p.Index || !give(p) {
			break
		}
	}
	return f.fail
}

func (f *fakePlatform) DeleteDataset(_ context.Context, name string) error {
	f.calls = append(f.calls, "DeleteDataset "+name)
	return f.fail
}
