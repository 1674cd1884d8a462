package control

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"switchyard/engine/trace"
)

// The protocol of a tail: a WebSocket of the subprotocol trace-v1, one item of JSON in each text
// message. The client's own messages are read and say nothing.
//
// wrangler sends its first frame without a mask, which RFC 6455 forbids and strict servers end the
// connection for. So frames are read header by header; gobwas/ws is the library whose parts allow it.
const (
	tailProtocol   = "trace-v1"
	maxClientFrame = 64 << 10
	socketPatience = 15 * time.Second // for one write
	socketSilence  = 90 * time.Second // until the client pings, or answers a ping of ours
	pingEvery      = 30 * time.Second
)

// serveTail answers the socket's URL; false: it is another one.
func (s *server) serveTail(w *statusRecorder, r *http.Request) bool {
	id, ok := strings.CutPrefix(r.URL.Path, pathTail)
	if !ok || s.Observer == nil {
		return false
	}
	if p := s.hosts.check(r); p != nil {
		writeProblem(w, p)
		return true
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		w.Header().Set("Upgrade", "websocket")
		writeProblem(w, fail(http.StatusUpgradeRequired, codeBody, "a tail is a WebSocket of the protocol "+tailProtocol))
		return true
	}
	if r.Header.Get("Origin") != "" {
		writeProblem(w, fail(http.StatusForbidden, codeHost, "a tail is not for pages of browsers"))
		return true
	}
	tail, err := s.Observer.ConnectTail(id)
	if err != nil {
		writeProblem(w, problemOf(tailProblem(err), r.URL.Path))
		return true
	}
	defer tail.Close()
	upgrader := ws.HTTPUpgrader{Protocol: func(p string) bool { return p == tailProtocol }, Timeout: socketPatience}
	conn, rw, _, err := upgrader.Upgrade(r, w.ResponseWriter)
	if err != nil {
		return true // the upgrader has answered
	}
	w.status = http.StatusSwitchingProtocols
	(&tailSocket{conn: conn, in: rw.Reader, tail: tail}).run()
	return true
}

// tailSocket is one connection: run writes items, read answers the client's frames.
type tailSocket struct {
	conn net.Conn
	in   *bufio.Reader
	tail *trace.Tail

	writing sync.Mutex // one frame at a time
}

// run ends when the tail or the connection does.
func (t *tailSocket) run() {
	defer t.conn.Close()
	t.conn.SetDeadline(time.Time{})
	gone := make(chan struct{})
	go func() { // ends when the connection does, which run closes
		defer close(gone)
		t.read()
	}()
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		var err error
		select {
		case item := <-t.tail.Items():
			lost := t.tail.Received(item)
			if err = t.write(ws.OpText, item); err == nil && lost > 0 {
				err = t.write(ws.OpText, lostItems(lost))
			}
		case <-ping.C:
			err = t.write(ws.OpPing, nil)
		case <-t.tail.Done():
			t.write(ws.OpClose, ws.NewCloseFrameBody(ws.StatusNormalClosure, "the tail has ended"))
			return
		case <-gone:
			return
		}
		if err != nil {
			return
		}
	}
}

func (t *tailSocket) write(op ws.OpCode, payload []byte) error {
	t.writing.Lock()
	defer t.writing.Unlock()
	t.conn.SetWriteDeadline(time.Now().Add(socketPatience))
	return ws.WriteFrame(t.conn, ws.NewFrame(op, true, payload))
}

// read takes the client's frames, masked or not, until there are no more.
func (t *tailSocket) read() {
	for {
		t.conn.SetReadDeadline(time.Now().Add(socketSilence))
		h, err := ws.ReadHeader(t.in)
		if err != nil || h.Length > maxClientFrame || h.OpCode.IsControl() && h.Length > ws.MaxControlFramePayloadSize {
			return
		}
		payload := make([]byte, h.Length)
		if _, err := io.ReadFull(t.in, payload); err != nil {
			return
		}
		if h.Masked {
			ws.Cipher(payload, h.Mask, 0)
		}
		switch h.OpCode {
		case ws.OpPing:
			err = t.write(ws.OpPong, payload)
		case ws.OpClose:
			t.write(ws.OpClose, payload[:min(len(payload), 2)])
			return
		}
		if err != nil {
			return
		}
	}
}

// lostItems tells a reader that was too slow, in the form that wrangler shows in red.
func lostItems(n uint64) []byte {
	now := time.Now().UnixMilli()
	item := struct {
		trace.Item
		Event any `json:"event"`
	}{trace.Item{
		EventTimestamp: now, Logs: []trace.Log{}, Exceptions: []trace.Exception{}, Diagnostics: []any{}, Tags: []string{},
		Outcome: trace.OK, Model: "stateless", Truncated: true,
	}, struct {
		Type    string `json:"type"`
		Message string `json:"message"`
		Dropped uint64 `json:"dropped"`
	}{"overload", fmt.Sprintf("%d events were dropped: this tail is read more slowly than they come.", n), n}}
	text, err := json.Marshal(item)
	if err != nil {
		panic("BUG: a notice does not encode: " + err.Error())
	}
	return text
}
