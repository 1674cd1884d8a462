package engine

import (
	"context"

	"switchyard/isolate"
)

// runtime makes pools. It is *isolate.Runtime, or Go functions in tests.
type runtime interface {
	NewPool(ctx context.Context, s *isolate.Spec) (pool, error)
	Runs(code string) bool // native code by its name in the derived data
	Crowded() bool
	Stats() isolate.RuntimeStats
}

// pool runs one version.
type pool interface {
	Invoke(c *isolate.Call) (*isolate.Response, error)
	Info() isolate.PoolInfo
	Stats() isolate.PoolStats
	Freeze() []byte // nil: it has to be made from its modules
	Close()
}

// isolates is the runtime that is not a test's.
type isolates struct{ *isolate.Runtime }

func (i isolates) NewPool(ctx context.Context, s *isolate.Spec) (pool, error) {
	p, err := i.Runtime.NewPool(ctx, s)
	if err != nil {
		return nil, err
	}
	return p, nil
}
