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
		return fmt.Errorf("%w: exit with code %d", ErrTrap, exit.ExitCode())
	}
	text := err.Error()
	first, rest, _ := strings.Cut(text, "\n")
	if trap, ok := strings.CutPrefix(first, "wasm error: "); ok {
		return &trapError{name: trap, stack: rest}
	}
	return fmt.Errorf("BUG: host function: %w", err)
}

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
