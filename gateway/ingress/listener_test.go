package ingress

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// exhausted fails a few times as a listener does whose process has no descriptors left.
type exhausted struct {
	net.Listener
	failures []error
}

func (l *exhausted) Accept() (net.Conn, error) {
	if len(l.failures) > 0 {
		err := l.failures[0]
		l.failures = l.failures[1:]
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", err)}
	}
	return l.Listener.Accept()
}

func TestAcceptGoesOn(t *testing.T) {
	in := &Ingress{Options: Options{Logger: slog.New(slog.DiscardHandler)}}
	client, server := net.Pipe()
	defer client.Close()
	l := &listener{in: in, Listener: &exhausted{Listener: &once{server}, failures: []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED}}}
	if c, err := l.accept(); err != nil || c != server {
		t.Errorf("%v, %v", c, err)
	}
	l = &listener{in: in, Listener: &exhausted{failures: []error{syscall.EBADF}}}
	if _, err := l.accept(); !errors.Is(err, syscall.EBADF) {
		t.Errorf("%v", err)
	}
}

// once is a listener that has one connection.
type once struct{ conn net.Conn }

func (l *once) Accept() (net.Conn, error) { return l.conn, nil }
func (l *once) Close() error              { return nil }
func (l *once) Addr() net.Addr            { return nil }

// TestSlowloris: clients that begin requests and stop are all gone after HeaderTimeout, and
// others are served meanwhile.
func TestSlowloris(t *testing.T) {
	in, addr := start(t, mirror, func(o *Options) { o.HeaderTimeout = time.Second })
	const clients = 300
	for i := range clients {
		fmt.Fprintf(dial(t, addr), "GET /%d HTTP/1.1\r\nHost: h\r\nX-", i)
	}
	waitFor(t, func() bool { return in.conns.len() == clients })
	c := dial(t, addr)
	begun := time.Now()
	for range 100 {
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		if _, err := c.Read(make([]byte, 4096)); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("100 requests beside them took %v", took)
	}
	c.Close()
	for range 100 {
		if in.conns.len() == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%d connections are left", in.conns.len())
}
