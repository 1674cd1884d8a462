package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"switchyard/engine"
	"switchyard/isolate"
)

func TestStatusOf(t *testing.T) {
	cases := []struct {
		err        error
		http, code int
	}{
		{fmt.Errorf("%w: %q", engine.ErrWorkerNotFound, "secret-name"), 404, 0},
		{engine.ErrNoEntry, 503, 0},
		{isolate.ErrCPULimit, 503, 1102},
		{isolate.ErrResponseTooLarge, 503, 1102},
		{fmt.Errorf("%w: unreachable", isolate.ErrTrap), 500, 1101},
		{&isolate.Exception{Message: "TypeError: secret-name"}, 500, 1101},
		{&isolate.StartupError{Module: "secret-name", Message: "x"}, 500, 1101},
		{&engine.InputError{Field: "main_module", Reason: "secret-name"}, 400, 0},
		{engine.ErrLoop, 508, 1019},
		{engine.ErrRate, 429, 1015},
		{engine.ErrConcurrent, 503, 1200},
		{engine.ErrEgressBytes, 503, 1102},
		{&engine.QuotaError{Of: "secret-name", Period: engine.PeriodMonth, Resets: time.Now().Add(time.Hour)}, 429, 1027},
		{context.Canceled, 499, 0},
		{errors.New("secret-name"), 500, 0},
	}
	for _, c := range cases {
		s := StatusOf(c.err)
		if s.HTTP != c.http || s.Code != c.code {
			t.Errorf("%v: status %d code %d, want %d and %d", c.err, s.HTTP, s.Code, c.http, c.code)
		}
		if strings.Contains(s.Body(), "secret-name") {
			t.Errorf("%v: the page tells internals: %q", c.err, s.Body())
		}
	}
}

func TestTableIsSendable(t *testing.T) {
	for _, row := range table {
		if s := row.status; s.HTTP < 200 || s.HTTP > 599 || s.Message == "" || strings.ContainsAny(s.Message, "\r\n") {
			t.Errorf("%v: %+v", row.err, s)
		}
	}
}

// A quota tells when to come again.
func TestRetryAfterOfQuotas(t *testing.T) {
	for after, want := range map[time.Duration]int{-time.Hour: 1, 30*time.Second - time.Millisecond: 30, time.Hour - time.Millisecond: 3600} {
		if got := StatusOf(&engine.QuotaError{Resets: time.Now().Add(after)}).RetryAfter; got != want {
			t.Errorf("a period that ends in %s: %d s, want %d", after, got, want)
		}
	}
}
