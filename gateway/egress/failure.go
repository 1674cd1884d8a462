//lint:file-ignore ST1005 a Worker catches these messages; they are worded as Workers words them.

package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"syscall"

	"switchyard/engine"
)

// What a Worker catches. A message never tells an address, nor whether a name exists: a
// tenant could explore the operator's network with it. The log, at level debug, tells all.
var (
	errURL         = errors.New("Fetch API cannot load: the URL is not valid.")
	errScheme      = errors.New("Fetch API cannot load: only http and https are supported")
	errPort        = errors.New("Fetch API cannot load: the port is not allowed")
	errCredentials = errors.New("Fetch API cannot load: the URL contains credentials.")
	errMethod      = errors.New("Fetch API cannot load: the method is not allowed.")
	errUnreachable = errors.New("Network connection failed: the host cannot be reached.")
	errRefused     = errors.New("Network connection refused by the origin.")
	errCertificate = errors.New("Network connection failed: the origin's TLS certificate or handshake is not valid.")
	errTimeout     = errors.New("Network connection timed out.")
	errLost        = errors.New("Network connection lost.")
	errResponse    = errors.New("The origin's response is not valid.")
	errTooLarge    = errors.New("The origin's response is too large.")
	errConns       = errors.New("Too many outgoing connections.")
)

// What a Worker does not learn: the first two become errUnreachable, the last errLost.
var (
	errClosed  = errors.New("egress: address is closed")
	errResolve = errors.New("egress: name does not resolve")
	errHead    = errors.New("egress: the response's head is too large")
)

// told are the errors that a Worker may see as they are.
var told = []error{errURL, errScheme, errPort, errCredentials, errMethod, errTimeout, errLost,
	errResponse, errTooLarge, errConns, engine.ErrLoop}

// fail turns err, which may come from anywhere below, into what a Worker is told.
func fail(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, errClosed) || errors.Is(err, errResolve) {
		return errUnreachable
	}
	for _, policy := range []error{engine.ErrEgressDenied, engine.ErrEgressRate} {
		if errors.Is(err, policy) {
			return policy // an address may be named beside it
		}
	}
	for _, t := range told {
		if errors.Is(err, t) {
			return err
		}
	}
	var timeout net.Error
	var certificate *tls.CertificateVerificationError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return errTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return errRefused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return errUnreachable
	case errors.As(err, &certificate), errors.As(err, &alert), errors.As(err, &record):
		return errCertificate
	}
	return errLost
}
