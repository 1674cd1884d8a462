package isolate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"switchyard/isolate/js"
)

// startJS evaluates a JavaScript Worker in a clone of the engine's base and takes the snapshot
// that its calls will run in.
func (p *Pool) startJS(ctx context.Context, s *Spec, main *Module) error {
	if err := p.beJS(); err != nil {
		return err
	}
	nested, err := p.compileNested(ctx, s)
	if err != nil {
		return err
	}
	if err = p.startNested(s, main, nested); err != nil {
		closeNested(nested)
		return err
	}
	p.onClose = func() { closeNested(nested) }
	return nil
}

// startNested evaluates it with the modules it can import.
func (p *Pool) startNested(s *Spec, main *Module, nested []*nestedModule) error {
	is, err := p.rt.newIsolate(p.module, p.rt.js.base, js.Export)
	if err != nil {
		return err
	}
	defer is.close()
	if len(nested) > 0 {
		is.nest = newNest(is, &nestedImage{modules: nested})
	}
	c := &Call{Limits: Limits{CPU: p.spec.StartupCPU}}
	c.begin(nil)
	c.state.node = s.Node
	if err := p.evaluate(is, c, s, main); err != nil {
		return startupError(main.Name, err)
	}
	p.info.Startup = c.state.usage.CPU
	var image *nestedImage
	if len(nested) > 0 {
		if image, err = is.nest.capture(c); err != nil {
			return startupError(main.Name, err)
		}
	}
	if p.snapshot, err = is.capture(js.Export, p.rt.js.base); err == nil {
		p.snapshot.nested = image
	}
	return err
}

// beJS makes the pool one of the engine's, still without a snapshot.
func (p *Pool) beJS() error {
	if p.rt.js == nil {
		return errNoJavaScript
	}
	p.module = p.rt.js.module
	p.guest = jsGuest{p}
	if p.spec.Policy == PolicyReuse {
		p.seats = p.spec.Suspended
	}
	return nil
}

// leastHeap is the smallest heap of a Worker: the standard library takes about one MiB of it.
const leastHeap = 2 << 20

// evaluate brings modules and env into the isolate and runs the main module.
func (p *Pool) evaluate(is *Isolate, c *Call, s *Spec, main *Module) error {
	heap := min(p.spec.Memory, p.rt.options.Memory-heapReserve)
	if heap < leastHeap {
		return ErrMemoryLimit
	}
	if _, err := is.enter(c, uint32(js.OpLimit), uint32(heap), 0, 0); err != nil {
		return err
	}
	env := s.Env
	if len(env) == 0 {
		env = []byte("[]")
	}
	if _, err := is.give(c, js.OpEnv, env, 0); err != nil {
		return err
	}
	wasms := 0
	for i := range s.Modules {
		m := &s.Modules[i]
		if m.Kind == ModuleMap {
			continue
		}
		source := m.Source
		if m.Kind == ModuleWasm {
			source = is.nest.modules[wasms].describe(wasms)
			wasms++
		}
		block := binary.LittleEndian.AppendUint32(nil, uint32(len(m.Name)))
		block = append(append(block, m.Name...), source...)
		if _, err := is.give(c, js.OpModule, block, uint32(m.Kind)); err != nil {
			return startupError(m.Name, err)
		}
	}
	r, err := is.give(c, js.OpStart, []byte(main.Name), uint32(main.Kind)|nodeFlags(s)|intlFlag(s))
	if e := (*StartupError)(nil); errors.As(err, &e) {
		placeMissingExport(e, s.Modules)
	}
	if err != nil {
		return err
	}
	if r == js.StartPending {
		return &StartupError{Module: main.Name, Message: "its top-level await never settles: no I/O is possible at module scope"}
	}
	if r, err = is.enter(c, uint32(js.OpHandlers), 0, 0, 0); err != nil {
		return err
	}
	if r&js.HandlerAny == 0 {
		return &StartupError{Module: main.Name, Message: "it exports no event handler: expected `export default { fetch }` or addEventListener(\"fetch\", …)"}
	}
	p.info.HandlesFetch = r&js.HandlerFetch != 0
	_, err = is.enter(c, uint32(js.OpGC), 0, 0, 0)
	return err
}

var (
	usesBuffer  = regexp.MustCompile(`\bBuffer\b`)
	usesProcess = regexp.MustCompile(`\bprocess\b`)
	usesIntl    = regexp.MustCompile(`\bIntl\.|\.localeCompare\(|\.toLocale(Date|Time)?String\([^)]`)
)

// intlFlag says whether START is to load Intl, so that the first request need not.
func intlFlag(s *Spec) uint32 {
	for i := range s.Modules {
		if usesIntl.Match(s.Modules[i].Source) {
			return js.StartIntl
		}
	}
	return 0
}

// nodeFlags says what of Node START is to define, and what of it to load: loading Buffer takes 7 ms
// of CPU time, which is better spent once than by the first request of every isolate.
func nodeFlags(s *Spec) (flags uint32) {
	if s.Node != NodeGlobals {
		return 0
	}
	flags = js.StartNode
	for i := range s.Modules {
		if usesBuffer.Match(s.Modules[i].Source) {
			flags |= js.StartBuffer
		}
		if usesProcess.Match(s.Modules[i].Source) {
			flags |= js.StartProcess
		}
	}
	return flags
}

// give enters with a block of data: op(ptr, len, kind). A Failed becomes a StartupError.
func (is *Isolate) give(c *Call, op js.Op, data []byte, kind uint32) (int32, error) {
	ptr, err := is.place(c, data)
	if err != nil {
		return 0, err
	}
	r, err := is.enter(c, uint32(op), ptr, uint32(len(data)), kind)
	if err != nil {
		return 0, err
	}
	if r == js.Failed {
		message, stack, _ := strings.Cut(is.text(), "\n")
		return 0, &StartupError{Message: message, Stack: stack}
	}
	return r, is.unplace(c, ptr)
}

// startupError words what went wrong while a Worker was evaluated.
func startupError(module string, err error) error {
	switch e := err.(type) {
	case *StartupError:
		if e.Module == "" {
			e.Module = module
		}
		return e
	}
	switch {
	case errors.Is(err, ErrCPULimit):
		return &StartupError{Module: module, Message: "Script startup exceeded CPU time limit."}
	case errors.Is(err, ErrMemoryLimit):
		return &StartupError{Module: module, Message: "Script startup exceeded memory limit."}
	}
	return &StartupError{Module: module, Message: fmt.Sprintf("Script startup failed: %v", err)}
}
