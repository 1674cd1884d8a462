package engine

import (
	"strings"
	"testing"
	"time"

	"switchyard/isolate"
)

func TestLogWriter(t *testing.T) {
	stories := []struct{ text, want string }{
		{"hello", "hello"},
		{"two\nlines\tand a tab", `two\nlines` + "\tand a tab"},
		{"\x1b[31mred\r\x00", `\u001b[31mred\u000d\u0000`},
		{"grün ✓ \u202e", `grün ✓ \u202e`},
		{"\xff\xfe", `\xff\xfe`},
		{strings.Repeat("x", maxLogText+1), strings.Repeat("x", maxLogText) + "…"},
	}
	for _, s := range stories {
		var out strings.Builder
		w := NewLogWriter(&out, 10)
		w.now = func() time.Time { return time.Unix(0, 0) }
		w.Write(LogLine{Ref: Ref{"production", "shop"}, Request: 7, Level: isolate.LogWarn, Text: []byte(s.text)})
		want := "1970-01-01T00:00:00.000Z warn production/shop 7: " + s.want + "\n"
		if out.String() != want {
			t.Errorf("got  %q\nwant %q", out.String(), want)
		}
	}
}

func TestLogFloodIsDroppedAndCounted(t *testing.T) {
	var out strings.Builder
	now := time.Unix(100, 0)
	w := NewLogWriter(&out, 3)
	w.now = func() time.Time { return now }
	for range 10 {
		w.Write(LogLine{Text: []byte("x")})
	}
	if n := strings.Count(out.String(), "\n"); n != 3 {
		t.Errorf("%d lines were written, want 3", n)
	}
	now = now.Add(time.Second)
	w.Write(LogLine{Text: []byte("x")})
	if !strings.Contains(out.String(), " 7 guest log lines were dropped\n") || strings.Count(out.String(), "\n") != 5 {
		t.Errorf("log is\n%s", out.String())
	}
}
