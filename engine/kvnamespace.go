package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"switchyard/engine/store"
)

// KVNamespace is a container of pairs, to which kv_namespace bindings lead.
type KVNamespace struct {
	ID      string // 32 hex digits
	Title   string // no other's
	Created time.Time
}

const (
	maxKVNamespaces = 10_000
	maxKVTitle      = 512 // bytes
)

// kvNamespace is one in the catalog. Writes hold life for reading until they are durable, so that what deletes the
// namespace comes after them, and they find it gone.
type kvNamespace struct {
	id   string
	life struct {
		sync.RWMutex
		gone bool
	}
}

// kvTable is the part of the catalog that has the KV namespaces.
type kvTable struct {
	mu struct {
		sync.RWMutex
		byID    map[string]*kvNamespace
		records map[string]store.KVNamespace
	}
}

func newKVTable() *kvTable {
	t := &kvTable{}
	t.mu.byID, t.mu.records = map[string]*kvNamespace{}, map[string]store.KVNamespace{}
	return t
}

func (t *kvTable) put(r store.KVNamespace) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.byID[r.ID] == nil {
		t.mu.byID[r.ID] = &kvNamespace{id: r.ID}
	}
	t.mu.records[r.ID] = r
}

func (t *kvTable) drop(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.mu.byID, id)
	delete(t.mu.records, id)
}

func (t *kvTable) find(id string) (*kvNamespace, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if n := t.mu.byID[id]; n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("%w: %q", ErrKVNamespaceNotFound, id)
}

func (t *kvTable) record(id string) (store.KVNamespace, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if r, ok := t.mu.records[id]; ok {
		return r, nil
	}
	return store.KVNamespace{}, fmt.Errorf("%w: %q", ErrKVNamespaceNotFound, id)
}

func (t *kvTable) all() []KVNamespace {
	t.mu.RLock()
	defer t.mu.RUnlock()
	list := make([]KVNamespace, 0, len(t.mu.records))
	for _, r := range t.mu.records {
		list = append(list, KVNamespace(r))
	}
	slices.SortFunc(list, func(a, b KVNamespace) int { return strings.Compare(a.Title, b.Title) })
	return list
}

// KVNamespaces returns the KV namespaces by title.
func (e *Engine) KVNamespaces() []KVNamespace { return e.catalog.kv.all() }

// KVNamespace returns one KV namespace.
func (e *Engine) KVNamespace(id string) (KVNamespace, error) {
	r, err := e.catalog.kv.record(id)
	return KVNamespace(r), err
}

// CreateKVNamespace makes an empty KV namespace.
func (e *Engine) CreateKVNamespace(ctx context.Context, title string) (KVNamespace, error) {
	id := strings.ReplaceAll(newID(), "-", "")
	return e.titleKVNamespace(ctx, title, func() (store.KVNamespace, error) {
		if len(e.KVNamespaces()) >= maxKVNamespaces {
			return store.KVNamespace{}, invalid("title", "there are %d KV namespaces already", maxKVNamespaces)
		}
		return store.KVNamespace{ID: id, Created: time.Now()}, nil
	})
}

// RenameKVNamespace gives a KV namespace another title. Bindings name its id, which stays.
func (e *Engine) RenameKVNamespace(ctx context.Context, id, title string) (KVNamespace, error) {
	return e.titleKVNamespace(ctx, title, func() (store.KVNamespace, error) { return e.catalog.kv.record(id) })
}

// titleKVNamespace gives what record returns its title, when no other namespace has it.
func (e *Engine) titleKVNamespace(ctx context.Context, title string, record func() (store.KVNamespace, error)) (KVNamespace, error) {
	if title == "" || len(title) > maxKVTitle || !utf8.ValidString(title) || strings.ContainsFunc(title, isControl) {
		return KVNamespace{}, invalid("title", "must be 1 to %d bytes of text", maxKVTitle)
	}
	unlock, err := e.locks.lock(ctx, "kv")
	if err != nil {
		return KVNamespace{}, err
	}
	defer unlock()
	r, err := record()
	if err != nil {
		return KVNamespace{}, err
	}
	if slices.ContainsFunc(e.KVNamespaces(), func(n KVNamespace) bool { return n.Title == title && n.ID != r.ID }) {
		return KVNamespace{}, fmt.Errorf("%w: %q", ErrKVNamespaceExists, title)
	}
	r.Title = title
	return KVNamespace(r), e.apply(ctx, store.PutKVNamespace(time.Now(), r))
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// DeleteKVNamespace removes a KV namespace and all that it has. Workers that are bound to it get errors from then on.
func (e *Engine) DeleteKVNamespace(ctx context.Context, id string) error {
	unlock, err := e.locks.lock(ctx, "kv")
	if err != nil {
		return err
	}
	defer unlock()
	n, err := e.catalog.kv.find(id)
	if err != nil {
		return err
	}
	n.life.Lock() // writes under way end before, later ones find it gone
	defer n.life.Unlock()
	if err := e.apply(ctx, store.DropKVNamespace(time.Now(), id)); err != nil {
		return err
	}
	n.life.gone = true
	return nil
}
