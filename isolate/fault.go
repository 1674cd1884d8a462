package isolate

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero/sys"
)

// guestFault turns what wazero returned from a guest call into one of this package's errors.
// Our own panics come through it unchanged; so does a bug of ours, which keeps its words.
func guestFault(err error) error {
	for _, known := range []error{ErrCPULimit, ErrWallLimit, ErrMemoryLimit, ErrSubrequests, ErrStack, ErrCanceled} {
		if errors.Is(err, known) {
			return known
		}
	}
	if breach := (*breachError)(nil); errors.As(err, &breach) {
		return breach
	}
	if exit := (*sys.ExitError)(nil); errors.As(err, &exit) {
		return &exitError{exit.ExitCode()}
	}
	text := err.Error()
	first, rest, _ := strings.Cut(text, "\n")
	if trap, ok := strings.CutPrefix(first, "wasm error: "); ok {
		return &trapError{name: trap, stack: rest}
	}
	return fmt.Errorf("BUG: host function: %w", err)
}

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
