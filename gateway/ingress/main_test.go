package ingress

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain: no test leaves a goroutine behind but the two that fasthttp keeps per process.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), // a test's own client
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}
