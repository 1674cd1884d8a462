package engine

import "switchyard/isolate"

// noWorker is the pool of a version that is static assets alone. Only what names an entrypoint
// gets this far: everything else is answered with assets.
type noWorker struct{}

func (noWorker) Invoke(c *isolate.Call) (*isolate.Response, error) {
	c.Request.Release()
	c.Done(c, isolate.Usage{})
	return nil, &isolate.Exception{Message: "This Worker is static assets alone: it has no entrypoints."}
}

func (noWorker) Info() isolate.PoolInfo   { return isolate.PoolInfo{} }
func (noWorker) Stats() isolate.PoolStats { return isolate.PoolStats{} }
func (noWorker) Freeze() []byte           { return nil }
func (noWorker) Close()                   {}
