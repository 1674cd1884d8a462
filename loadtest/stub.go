package loadtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// stub is a server that is known through and through: it answers like tenants at version 1, late
// or wrong by a rule, and counts what it did. The generator's self-tests run against it.
type stub struct {
	listener net.Listener
	rule     func(seq uint64) fault
	wait     func() // before each answer
	wg       sync.WaitGroup
	mu       struct {
		sync.Mutex
		conns    map[net.Conn]bool
		injected map[uint64]fault // by sequence number: a request that is sent again counts once
		took     histogram        // from a request's last byte to its answer's first
	}
}

// fault is what a stub does to one request.
type fault int

const (
	fine fault = iota
	faultReset
	faultSilence // no answer in time
	fault404
	fault503
	faultShort
	faultGarbage
	faultMismatch
	faultOtherTenant
	faultOtherRequest
	faultOldVersion
	faults
)

// causes is the outcome that the generator must count for each fault.
var causes = [faults]outcome{ok, reset, timeout, status4xx, status5xx, short, protocol, mismatch, leak, leak, stale}

// startStub listens on a port of loopback. Close ends it.
func startStub(rule func(seq uint64) fault, wait func()) (*stub, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &stub{listener: l, rule: rule, wait: wait}
	s.mu.conns, s.mu.injected, s.mu.took = map[net.Conn]bool{}, map[uint64]fault{}, newHistogram()
	s.wg.Go(s.accept)
	return s, nil
}

func (s *stub) url() string { return "http://" + s.listener.Addr().String() }

// Close ends all connections and waits for their goroutines.
func (s *stub) Close() {
	s.listener.Close()
	s.mu.Lock()
	for c := range s.mu.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

func (s *stub) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.mu.conns[c] = true
		s.mu.Unlock()
		s.wg.Go(func() {
			s.serve(c)
			c.Close()
			s.mu.Lock()
			delete(s.mu.conns, c)
			s.mu.Unlock()
		})
	}
}

func (s *stub) serve(c net.Conn) {
	in := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		began := time.Now()
		s.wait()
		if !s.answer(c, r, began) {
			return
		}
	}
}

var errStubPath = errors.New("the path is not a sequence number")

// answer reports whether the connection goes on.
func (s *stub) answer(c net.Conn, r *http.Request, began time.Time) bool {
	seq, err := strconv.ParseUint(strings.TrimPrefix(r.URL.Path, "/"), 10, 64)
	if err != nil {
		panic("BUG: " + errStubPath.Error() + ": " + r.URL.Path)
	}
	f := s.rule(seq)
	script, _, _ := strings.Cut(r.Host, ".")
	s.mu.Lock()
	s.mu.injected[seq] = f
	s.mu.took.record(time.Since(began))
	s.mu.Unlock()
	return f.act(c, script, seq)
}

// act does it. It reports whether the connection goes on.
func (f fault) act(c net.Conn, script string, seq uint64) bool {
	body := who(script, 1) + string(appendDigits(nil, seq, seqDigits)) + "\n"
	status := 200
	switch f {
	case faultReset:
		c.(*net.TCPConn).SetLinger(0)
		return false
	case faultSilence:
		io.Copy(io.Discard, c) // until the client gives up
		return false
	case faultShort:
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body)+7, body)
		return false
	case faultGarbage:
		io.WriteString(c, "SSH-2.0-OpenSSH\r\n")
		return false
	case fault404:
		status = 404
	case fault503:
		status = 503
	case faultMismatch:
		body = strings.Replace(body, "lt-", "xx-", 1)
	case faultOtherTenant:
		body = strings.Replace(body, script, script+"1", 1)
	case faultOtherRequest:
		body = who(script, 1) + string(appendDigits(nil, seq+1, seqDigits)) + "\n"
	case faultOldVersion:
		body = who(script, 0) + string(appendDigits(nil, seq, seqDigits)) + "\n"
	}
	_, err := fmt.Fprintf(c, "HTTP/1.1 %d Whatever\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
	return err == nil
}

// counts is how many requests met each outcome by the stub's doing.
func (s *stub) counts() Outcomes {
	s.mu.Lock()
	defer s.mu.Unlock()
	var o Outcomes
	for _, f := range s.mu.injected {
		o[causes[f]]++
	}
	return o
}

// percentile of the stub's own time, in µs.
func (s *stub) percentile(q float64) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return float64(s.mu.took.ValueAtQuantile(q))
}
