package isolate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
)

// guestFault turns what wazero returned from a guest call into one of this package's errors.
// Our own panics come through it unchanged.
func guestFault(err error) error {
	if known := deliberate(err); known != nil {
		return known
	}
	if exit := (*sys.ExitError)(nil); errors.As(err, &exit) {
		return &exitError{exit.ExitCode()}
	}
	text := err.Error()
	first, rest, _ := strings.Cut(text, "\n")
	if trap, ok := strings.CutPrefix(first, "wasm error: "); ok {
		return &trapError{name: trap, stack: rest}
	}
	return newBug(slog.Default(), err) // of wazero's own
}

// deliberate is what a host function ended the guest with; nil when it did not mean to.
func deliberate(err error) error {
	for _, known := range []error{ErrCPULimit, ErrWallLimit, ErrMemoryLimit, ErrSubrequests, ErrStack, ErrCanceled, ErrReset, errThrown, errNestedStack} {
		if errors.Is(err, known) {
			return known
		}
	}
	if breach := (*breachError)(nil); errors.As(err, &breach) {
		return breach
	}
	if bug := (*bugError)(nil); errors.As(err, &bug) {
		return bug
	}
	return nil
}

// contained gives a host function's panics to guestFault: those it means as they are, those of
// a bug of ours once they have been logged with the stack they have here.
func contained(fn api.GoModuleFunc) api.GoModuleFunc {
	return func(ctx context.Context, m api.Module, stack []uint64) {
		defer func() {
			if r := recover(); r != nil {
				panic(isolateOf(ctx).panicked(r))
			}
		}()
		fn(ctx, m, stack)
	}
}

func (is *Isolate) panicked(r any) error {
	if err, ok := r.(error); ok {
		if known := deliberate(err); known != nil {
			return known
		}
	}
	return newBug(is.module.rt.options.Logger, r)
}

// bugError is a panic of ours while the host did something for a guest. The stack went to the
// operator's log when it happened, and goes nowhere else: errors reach tenants.
type bugError struct{ what string }

func newBug(logger *slog.Logger, r any) *bugError {
	what := strings.TrimPrefix(fmt.Sprint(r), "BUG: ")
	logger.Error("BUG: isolate: panic in the host", "panic", what, "stack", string(debug.Stack()))
	return &bugError{what}
}

func (b *bugError) Error() string { return "BUG: " + b.what }

// gaveUp says that the guest ended itself, as allocators and runtimes do when they can go on no longer.
func gaveUp(err error) bool {
	if t := (*trapError)(nil); errors.As(err, &t) {
		return t.name == "unreachable"
	}
	e := (*exitError)(nil)
	return errors.As(err, &e)
}

// exitError is ErrTrap for a guest that called proc_exit.
type exitError struct{ code uint32 }

func (e *exitError) Error() string { return fmt.Sprintf("%v: exit with code %d", ErrTrap, e.code) }
func (e *exitError) Unwrap() error { return ErrTrap }

// trapError is ErrTrap with the trap's name and the guest's stack.
type trapError struct{ name, stack string }

func (t *trapError) Error() string { return ErrTrap.Error() + ": " + t.name }
func (t *trapError) Unwrap() error { return ErrTrap }

// Stack is the guest's stack, one function a line; "" when it is not known.
func (t *trapError) Stack() string { return t.stack }

// breachError is a guest that broke the contract of its host functions: memory that it does
// not have, a request that is not its own. Such a guest is not answered: it traps.
type breachError struct{ what string }

func (b *breachError) Error() string { return ErrTrap.Error() + ": " + b.what }
func (b *breachError) Unwrap() error { return ErrTrap }

// breach ends the running guest.
func breach(format string, args ...any) {
	panic(&breachError{fmt.Sprintf(format, args...)})
}
