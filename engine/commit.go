package engine

import (
	"context"
	"errors"
	"fmt"

	"switchyard/engine/store"
)

// commit makes changes in namespace n durable, then visible. When it returns nil, the next
// request sees them, and so does every one after a crash.
func (e *Engine) commit(ctx context.Context, n *namespace, changes ...store.Change) error {
	n.commit.RLock()
	defer n.commit.RUnlock()
	if n.commit.gone {
		return fmt.Errorf("%w: %q", ErrNamespaceNotFound, n.name())
	}
	return e.apply(ctx, changes...)
}

func (e *Engine) apply(ctx context.Context, changes ...store.Change) error {
	if err := e.attribute(ctx, changes); err != nil {
		return err
	}
	if err := e.store.Apply(ctx, changes...); err != nil {
		return storeError(err)
	}
	e.publish(changes)
	return nil
}

// storeError says what callers of this package can act on.
func storeError(err error) error {
	if errors.Is(err, store.ErrUnavailable) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}
