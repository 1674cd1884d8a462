package engine

import (
	"context"
	"sync"
)

// keyLock is a mutex for each key, made when it is needed: changes of one script go one after
// the other, and a slow upload holds up nobody else's. The number of locks is the number of
// operations under way.
type keyLock struct {
	mu struct {
		sync.Mutex
		held map[string]*heldKey
	}
}

type heldKey struct {
	turn  chan struct{} // holds an element while somebody has the lock
	users int           // holder and waiters; guarded by keyLock.mu
}

// lock waits for its turn, or for the end of ctx.
func (l *keyLock) lock(ctx context.Context, key string) (unlock func(), err error) {
	h := l.join(key)
	select {
	case h.turn <- struct{}{}:
		return func() { <-h.turn; l.part(key, h) }, nil
	case <-ctx.Done():
		l.part(key, h)
		return nil, ctx.Err()
	}
}

func (l *keyLock) join(key string) *heldKey {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.mu.held[key]
	if h == nil {
		h = &heldKey{turn: make(chan struct{}, 1)}
		if l.mu.held == nil {
			l.mu.held = map[string]*heldKey{}
		}
		l.mu.held[key] = h
	}
	h.users++
	return h
}

func (l *keyLock) part(key string, h *heldKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.users--; h.users == 0 {
		delete(l.mu.held, key)
	}
}
