package engine

import (
	"context"
	"errors"
	"log/slog"

	"switchyard/isolate"
)

// OpenOffline opens the platform in dir for a tool, while no server has it: everything can be
// read and changed but what needs to run a Worker.
func OpenOffline(dir string, logger *slog.Logger) (*Engine, error) {
	return Open(Options{Dir: dir, Logger: logger, runtime: noRuntime{}})
}

// noRuntime is the runtime of an engine that runs nothing.
type noRuntime struct{}

var errOffline = errors.New("no server is running: a Worker cannot be evaluated")

func (noRuntime) NewPool(context.Context, *isolate.Spec) (pool, error) { return nil, errOffline }
func (noRuntime) Runs(string) bool                                     { return false }
func (noRuntime) Crowded() bool                                        { return false }
func (noRuntime) Stats() isolate.RuntimeStats                          { return isolate.RuntimeStats{} }
