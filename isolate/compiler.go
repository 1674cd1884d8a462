package isolate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// Compiler is how tenants' modules become native code: each in a process of its own, because a
// compilation can be told to stop in no other way, and takes what memory it likes. The process
// runs Command, which must come to CompileStdin, and is killed when it passes its budget.
type Compiler struct {
	Command   []string      // program and arguments. Default: no process
	CPU       time.Duration // that one module may take. Default: 10 s
	Memory    int64         // bytes of memory that the process may hold. Default: 1 GiB
	Processes int           // at once. Default: 1, which uses every processor already
}

func (c Compiler) withDefaults() Compiler {
	c.CPU = cmp.Or(c.CPU, 10*time.Second)
	c.Memory = cmp.Or(c.Memory, 1<<30)
	c.Processes = cmp.Or(c.Processes, 1)
	return c
}

const (
	maxCompiling  = 64                    // modules that wait for a process
	maxNativeCode = 1 << 30               // bytes of one module
	maxComplaint  = 64 << 10              // bytes of what a process says on its way out
	compileTick   = 10 * time.Millisecond // between looks at what a process has spent
	// compileWall times the CPU budget is how long a process may take on a busy machine, where
	// it gets what others leave.
	compileWall = 10
)

// compiler runs the processes of a Compiler.
type compiler struct {
	Compiler
	logger  *slog.Logger
	turns   chan struct{} // one element a process
	waiting atomic.Int32
}

func newCompiler(c Compiler, logger *slog.Logger) *compiler {
	return &compiler{Compiler: c, logger: logger, turns: make(chan struct{}, c.Processes)}
}

// there says that modules are compiled in processes of their own.
func (c *compiler) there() bool { return len(c.Command) > 0 }

// refusedModule is a module that cannot be compiled within the budget, or at all.
type refusedModule struct{ why string }

func (r *refusedModule) Error() string { return r.why }

// errCompiler is trouble of this machine, not of the module.
var errCompiler = errors.New("the compiler's process cannot be run")

// run has an order filled when its turn has come, and returns the encoded product. The error is a
// *refusedModule, ErrCompiling, errCompiler or ctx's.
func (c *compiler) run(ctx context.Context, o *order) ([]byte, error) {
	if c.waiting.Add(1) > maxCompiling {
		c.waiting.Add(-1)
		return nil, ErrCompiling
	}
	select {
	case c.turns <- struct{}{}:
		c.waiting.Add(-1)
		defer func() { <-c.turns }()
	case <-ctx.Done():
		c.waiting.Add(-1)
		return nil, ctx.Err()
	}
	return c.process(ctx, o.encode())
}

// process starts a process, confines it before it has read anything, and waits for its end.
func (c *compiler) process(ctx context.Context, order []byte) ([]byte, error) {
	product, complaint := boundedBuffer{most: maxNativeCode}, boundedBuffer{most: maxComplaint}
	cmd := exec.Command(c.Command[0], c.Command[1:]...)
	cmd.Env = []string{fmt.Sprintf("GOMEMLIMIT=%d", c.Memory/4*3)} // and nothing of ours
	cmd.Stdout, cmd.Stderr = &product, &complaint
	cmd.SysProcAttr = compilerAttributes()
	// The kernel ends the process with the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCompiler, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: %w", errCompiler, err)
	}
	if err = confine(cmd.Process.Pid, &c.Compiler); err != nil {
		cmd.Process.Kill()
		err = fmt.Errorf("%w: %w", errCompiler, err)
	}
	go func() { // ends with the process at the latest
		in.Write(order) // a process that does not want it says why
		in.Close()
	}()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ends with the process
	if err := errors.Join(err, c.watch(ctx, cmd, ended, &complaint)); err != nil {
		return nil, err
	}
	return product.bytes, nil
}

// watch waits for the end of the process, which it brings about when the budget is spent or
// ctx has ended.
func (c *compiler) watch(ctx context.Context, cmd *exec.Cmd, ended <-chan error, complaint *boundedBuffer) error {
	tick := time.NewTicker(compileTick)
	defer tick.Stop()
	gone := ctx.Done()
	var verdict error
	end := func(why error) {
		if verdict == nil {
			verdict = why
			cmd.Process.Kill()
		}
	}
	for started := time.Now(); ; {
		select {
		case err := <-ended:
			if verdict == nil && err != nil {
				verdict = c.died(cmd, string(complaint.bytes))
			}
			return verdict
		case <-gone:
			gone = nil
			end(ctx.Err())
		case <-tick.C:
			switch cpu, memory := spentBy(cmd.Process.Pid); {
			case cpu > c.CPU:
				end(c.tooSlow())
			case memory > c.Memory:
				end(c.tooBig())
			case time.Since(started) > compileWall*c.CPU:
				end(&refusedModule{fmt.Sprintf("compiling it was not over after %v", compileWall*c.CPU)})
			}
		}
	}
}

func (c *compiler) tooSlow() error {
	return &refusedModule{fmt.Sprintf("compiling it takes more than the limit of %v of CPU time", c.CPU)}
}

func (c *compiler) tooBig() error {
	return &refusedModule{fmt.Sprintf("compiling it takes more than the limit of %d MiB of memory", c.Memory>>20)}
}

// died words the end of a process that did not end well.
func (c *compiler) died(cmd *exec.Cmd, complaint string) error {
	switch {
	case cmd.ProcessState.ExitCode() == 1:
		return &refusedModule{"compiling it failed: " + strings.TrimSpace(complaint)}
	case killedForCPU(cmd.ProcessState):
		return c.tooSlow()
	case strings.Contains(complaint, "out of memory") || strings.Contains(complaint, "cannot allocate memory"):
		return c.tooBig()
	}
	c.logger.Error("isolate: the compiler died", "state", cmd.ProcessState.String(), "stderr", complaint)
	return &refusedModule{"the compiler failed on it"}
}

// boundedBuffer takes no more than most bytes; the process that writes more does not get on.
type boundedBuffer struct {
	bytes []byte
	most  int
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	if len(p) > b.most-len(b.bytes) {
		return 0, io.ErrShortWrite
	}
	b.bytes = append(b.bytes, p...)
	return len(p), nil
}
