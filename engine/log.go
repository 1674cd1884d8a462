package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"switchyard/engine/trace"
	"switchyard/isolate"
)

// log hands one line of a guest on.
func (inv *invocation) log(level isolate.LogLevel, text []byte) {
	if d := inv.traced(inv.call.Request); d != nil {
		message := json.RawMessage(bytes.Clone(inv.call.Message))
		if message == nil {
			message = trace.Text(string(text))
		}
		d.AddLog(trace.Log{Message: message, Level: levelWords[level], Timestamp: time.Now().UnixMilli()})
	}
	inv.print(level, text)
}

// print writes a line into the server's log.
func (inv *invocation) print(level isolate.LogLevel, text []byte) {
	inv.engine.output(LogLine{Ref: inv.script.ref(), Version: inv.version.id, Request: inv.chain.number, Level: level, Text: text})
}

// logFault writes why a Worker did not answer into its log. A client that left is no fault.
func (inv *invocation) logFault(err error) {
	if errors.Is(err, isolate.ErrCanceled) {
		return
	}
	text := err.Error()
	if x, ok := errors.AsType[*isolate.Exception](err); ok {
		text = "Uncaught " + x.Message
		if x.Stack != "" {
			text += "\n" + x.Stack
		}
	}
	inv.print(isolate.LogError, []byte(text))
}

const maxLogText = 16 << 10

var levelWords = []string{
	isolate.LogDebug: "debug", isolate.LogInfo: "info", isolate.LogWarn: "warn", isolate.LogError: "error",
	isolate.LogLog: "log",
}

// LogWriter writes guests' log lines as text, one line each. A flood of them costs the rest of
// its second: what is over the rate is dropped, counted, and the count is written.
//
//	2026-01-02T15:04:05.000Z error production/shop 42: Uncaught Error: x\n    at f (index.js:3:7)
type LogWriter struct {
	perSecond int
	now       func() time.Time

	mu struct {
		sync.Mutex
		out     io.Writer
		second  int64 // of the count
		written int
		dropped uint64
		buf     []byte
	}
}

// NewLogWriter writes to w at most perSecond lines in each second.
func NewLogWriter(w io.Writer, perSecond int) *LogWriter {
	l := &LogWriter{perSecond: perSecond, now: time.Now}
	l.mu.out = w
	return l
}

// Write is an Options.Log.
func (l *LogWriter) Write(line LogLine) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if second := now.Unix(); second != l.mu.second {
		if l.mu.dropped > 0 {
			fmt.Fprintf(l.mu.out, "%s %d guest log lines were dropped\n", timestamp(now), l.mu.dropped)
		}
		l.mu.second, l.mu.written, l.mu.dropped = second, 0, 0
	}
	if l.mu.written == l.perSecond {
		l.mu.dropped++
		return
	}
	l.mu.written++
	l.mu.buf = appendLine(l.mu.buf[:0], now, line)
	l.mu.out.Write(l.mu.buf) // a log that cannot be written has nobody to tell
}

func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func appendLine(dst []byte, now time.Time, line LogLine) []byte {
	dst = append(append(dst, timestamp(now)...), ' ')
	dst = append(append(dst, levelWords[line.Level]...), ' ')
	dst = append(append(dst, line.Ref.String()...), ' ')
	dst = strconv.AppendUint(dst, line.Request, 10)
	dst = append(dst, ": "...)
	text := line.Text
	if len(text) > maxLogText {
		text = text[:maxLogText]
	}
	dst = appendEscaped(dst, text)
	if len(line.Text) > maxLogText {
		dst = append(dst, "…"...)
	}
	return append(dst, '\n')
}

// appendEscaped writes text so that it stays one line and cannot drive a terminal.
func appendEscaped(dst, text []byte) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1:
			dst = fmt.Appendf(dst, `\x%02x`, text[0])
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\t':
			dst = append(dst, '\t')
		case !strconv.IsPrint(r):
			dst = fmt.Appendf(dst, `\u%04x`, r)
		default:
			dst = append(dst, text[:size]...)
		}
		text = text[size:]
	}
	return dst
}
