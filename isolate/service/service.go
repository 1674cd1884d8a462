// Package service is the contract of what JavaScript has the host do by number: the parts of
// the web platform that are heavy in an interpreter and exist as Go libraries. A service is pure:
// bytes in, bytes out, objects that live as long as one request. It knows no isolate, no tenant
// and no socket, and it runs under its caller's CPU limit.
//
//	prelude ── sw.service(number, method, object, …parts) ──► isolate ── Request ──► Service
//	        ◄── bytes | an object's id and bytes | error ◄──           ◄── Answer ──
package service

import "time"

// Request is one request of a service.
type Request struct {
	Method uint32
	Object any      // the object it is about; nil: none
	Parts  [][]byte // guest memory: valid until the service returns, a Job gets copies
	Meter  Meter
	// Scope says that module scope asks. What it is given ends up in a snapshot that every clone
	// shares, so it gets no object, no randomness and no I/O.
	Scope bool
	// Later says that who asks waits for a promise, and may be given a Job.
	Later bool
}

// Do answers with what work returns: as a Job when that can be, else at once.
func (r *Request) Do(work func(Meter) ([]byte, error)) (Answer, error) {
	if r.Later && !r.Scope {
		return Answer{Job: work}, nil
	}
	b, err := work(r.Meter)
	return Answer{Bytes: b}, err
}

// Part is the i-th part, empty when there are fewer.
func (r *Request) Part(i int) []byte {
	if i >= len(r.Parts) {
		return nil
	}
	return r.Parts[i]
}

// Number is the i-th part as the prelude passes a number: an i32 in four bytes, little-endian.
func (r *Request) Number(i int) int {
	p := r.Part(i)
	if len(p) != 4 {
		return 0
	}
	return int(int32(uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24))
}

// Answer is what a service gives back.
type Answer struct {
	Bytes []byte
	// Object, when not nil, becomes an object of the request, named in later requests by the id
	// that the guest is given before Bytes. It is closed, when it is an io.Closer, at the
	// request's end at the latest. Held is how many bytes of memory it stands for.
	Object any
	Held   int
	// Job, when not nil, is the rest of the work, for another goroutine while the isolate goes
	// on: seconds rather than microseconds. Only sw.serviceAsync can wait for it.
	Job func(Meter) ([]byte, error)
}

// Meter is the account of who asks.
type Meter interface {
	// Pace ends a piece of work of some ten microseconds to a millisecond: it charges the CPU time
	// since the last one and does not return (it panics with a value of its caller's) when the
	// request is over. A service defers whatever must be given back.
	Pace()
	// Afford is Pace before work that cannot be interrupted and takes about d of CPU time: it ends
	// a request that has less left.
	Afford(d time.Duration)
}

// Service answers requests. An error that is no *Error is a bug of the service.
type Service func(*Request) (Answer, error)

// Error is a failure that the guest's code sees: an exception of the class, or the DOMException
// of the name, Name.
type Error struct{ Name, Message string }

func (e *Error) Error() string { return e.Name + ": " + e.Message }

// Fail returns an *Error.
func Fail(name, message string) error { return &Error{name, message} }
