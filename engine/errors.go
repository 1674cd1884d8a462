package engine

import (
	"errors"
	"fmt"
)

// What a caller can act on. Each is wrapped with the name that it is about, so that a message
// is complete by itself; gateway/status.go maps them to HTTP, gateway/control to API codes.
var (
	ErrNamespaceNotFound   = errors.New("dispatch namespace not found")
	ErrNamespaceExists     = errors.New("dispatch namespace already exists")
	ErrScriptNotFound      = errors.New("script not found")
	ErrScriptExists        = errors.New("script already exists")
	ErrVersionNotFound     = errors.New("version not found")
	ErrDeploymentNotFound  = errors.New("deployment not found")
	ErrRouteNotFound       = errors.New("route not found")
	ErrKVNamespaceNotFound = errors.New("KV namespace not found")
	ErrKVNamespaceExists   = errors.New("a KV namespace with this title already exists")
	ErrRouteExists         = errors.New("route already exists")
	ErrPlanNotFound        = errors.New("plan not found")
	ErrNoEntry             = errors.New("no Worker is deployed for this request") // 503 until the entry script is there
	ErrUnavailable         = errors.New("the store does not accept changes")      // disk full, closing
	ErrConflict            = errors.New("changed by somebody else meanwhile")     // a lost race between two edits

	// ErrWorkerNotFound is what a dispatch to a missing script rejects with. Dispatch Workers
	// compare the message, so it is exactly this.
	ErrWorkerNotFound = errors.New("Worker not found")
	// ErrLoop is too many Workers called one from another.
	ErrLoop = errors.New("Too many Workers in a chain of calls.")

	// What a call is refused with, or a fetch: its caller may catch it.
	ErrRate       = errors.New("Worker exceeded its limit of requests per second.")
	ErrConcurrent = errors.New("Worker exceeded its limit of concurrent requests.")
	// ErrEgressDenied and ErrEgressRate are what a fetch rejects with that an EgressPolicy does not allow.
	ErrEgressDenied = errors.New("This fetch is not allowed by the egress policy.")
	ErrEgressRate   = errors.New("Too many fetches: the egress policy's rate is exceeded.")
	ErrEgressBytes  = errors.New("Worker exceeded its limit of bytes sent to and received from origins.")
	ErrQuota        = errors.New("Worker exceeded its quota.") // always a *QuotaError
)

// InputError is an upload or a change that was refused; nothing was changed.
type InputError struct {
	Field  string // where in the input, e.g. "bindings[2].service" or "main_module"; may be empty
	Reason string
}

func (e *InputError) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return e.Field + ": " + e.Reason
}

func invalid(field, format string, args ...any) error {
	return &InputError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// MissingKVError is an upload with a binding to a KV namespace that is not there.
type MissingKVError struct{ Field, ID string }

func (e *MissingKVError) Error() string {
	return fmt.Sprintf("%s: there is no KV namespace %q", e.Field, e.ID)
}
