package isolate

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"switchyard/isolate/js"
	"switchyard/isolate/service"
)

// testService echoes, fails, keeps objects and works for long.
const testService = 1000

var closedObjects atomic.Int32

type testObject struct{ text string }

func (*testObject) Close() error { closedObjects.Add(1); return nil }

func serveTest(r *service.Request) (service.Answer, error) {
	switch r.Method {
	case 1: // echo the parts, joined
		return service.Answer{Bytes: bytes.Join(r.Parts, []byte("|"))}, nil
	case 2:
		return service.Answer{}, service.Fail(string(r.Part(0)), "no")
	case 3:
		return service.Answer{Object: &testObject{string(r.Part(0))}, Held: 100}, nil
	case 4:
		return service.Answer{Bytes: []byte(r.Object.(*testObject).text)}, nil
	case 5: // a job of so many milliseconds
		ms, echo := r.Number(0), r.Part(1)
		return service.Answer{Job: func(m service.Meter) ([]byte, error) {
			burn(m, time.Duration(ms)*time.Millisecond)
			return bytes.Repeat(echo, 10), nil
		}}, nil
	case 6: // the same while the isolate waits
		burn(r.Meter, time.Duration(r.Number(0))*time.Millisecond)
		return service.Answer{}, nil
	case 7:
		return service.Answer{Bytes: make([]byte, r.Number(0))}, nil
	}
	panic("BUG: service: the test asks for nothing")
}

func burn(m service.Meter, d time.Duration) {
	for end := threadTime() + d; threadTime() < end; {
		for i := 0; i < 100_000; i++ {
			closedObjects.Load()
		}
		m.Pace()
	}
}

// bridged is a runtime whose prelude gives tenants the bridge.
func bridged(t *testing.T) *Runtime {
	t.Helper()
	engine, err := js.Engine()
	if err != nil {
		t.Skip(err)
	}
	services[testService] = serveTest
	t.Cleanup(func() { delete(services, testService) })
	prelude := strings.TrimSuffix(js.Prelude(), "})") + "Object.assign(globalThis, { service, serviceText, serviceAsync, newObject, freeObject }) })"
	rt, err := NewRuntime(Options{Engine: engine, Prelude: prelude})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rt.Close() })
	return rt
}

func TestServices(t *testing.T) {
	rt := bridged(t)
	stories := []struct{ name, source, want string }{
		{"parts of every kind", `return new Response(serviceText(1000, 1, 0, "é", new Uint8Array([65, 66]), null, new Uint8Array([1,67,2]).subarray(1, 2)))`, "200 é|AB||C"},
		{"a number", `return new Response(String(service(1000, 1, 0, -2)))`, "200 254,255,255,255"},
		{"a native error", `try { service(1000, 2, 0, "RangeError") } catch (e) { return new Response(e.constructor.name + " " + e.message) }`, "200 RangeError no"},
		{"a DOMException", `try { service(1000, 2, 0, "OperationError") } catch (e) { return new Response((e instanceof DOMException) + " " + e.name + " " + e.message) }`, "200 true OperationError no"},
		{"an object", `const o = newObject(1000, 3, 0, "kept"), p = newObject(1000, 3, 0, "other"); return new Response(serviceText(1000, 4, o) + serviceText(1000, 4, p))`, "200 keptother"},
		{"a freed object", `const o = newObject(1000, 3, 0, "kept"); freeObject(1000, o); try { service(1000, 4, o) } catch (e) { return new Response(e.message) }`, "200 This object belongs to another request."},
		{"a job", `return new Response(await serviceAsync(1000, 5, 0, 1, "ab"))`, "200 " + strings.Repeat("ab", 10)},
		{"a job's big result", `const b = await serviceAsync(1000, 5, 0, 0, new Uint8Array(50_000).fill(7)); return new Response(b.length + " " + b[499_999])`, "200 500000 7"},
		{"jobs at once", `return new Response((await Promise.all([1, 2, 3].map((i) => serviceAsync(1000, 5, 0, 1, String(i))))).map((b) => b[0] - 48).join())`, "200 1,2,3"},
		{"an answer at once to who waits", `return new Response(await serviceAsync(1000, 1, 0, "x"))`, "200 x"},
		{"a big result", `const b = service(1000, 7, 0, 3 << 20); return new Response(String(b.length))`, "200 3145728"},
		{"too many parts", `try { service(1000, 1, 0, 1,2,3,4,5,6,7,8,9,10,11,12,13) } catch (e) { return new Response(e.message) }`, "200 a service takes 12 parts"},
		{"too many objects", `try { for (;;) newObject(1000, 3, 0, "") } catch (e) { return new Response(e.message) }`, "200 Too many objects in one request."},
		{"long work at once", `service(1000, 6, 0, 10_000); return new Response("?")`, "error: CPU"},
		{"a long job", `await serviceAsync(1000, 5, 0, 10_000); return new Response("?")`, "error: CPU"},
		{"short work, often", `for (;;) service(1000, 1, 0, "x")`, "error: CPU"},
	}
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			p, err := rt.NewPool(context.Background(), jsSpec(handler(s.source)))
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			wants(t, p, &fakeHost{}, testRequest("GET", "http://a.test/", ""), s.want)
		})
	}
}

// What a service keeps ends with the request, whatever the request came to.
func TestServiceObjectsEnd(t *testing.T) {
	rt := bridged(t)
	p, err := rt.NewPool(context.Background(), jsSpec(handler(`newObject(1000, 3, 0, "a"); newObject(1000, 3, 0, "b"); if (request.url.endsWith("loop")) for (;;); return new Response("ok")`)))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	before := closedObjects.Load()
	wants(t, p, &fakeHost{}, testRequest("GET", "http://a.test/", ""), "200 ok")
	wants(t, p, &fakeHost{}, testRequest("GET", "http://a.test/loop", ""), "error: CPU")
	if n := closedObjects.Load() - before; n != 4 {
		t.Errorf("%d objects were closed, want 4", n)
	}
}

// Module scope is what every clone shares: no objects and no jobs.
func TestServicesAtModuleScope(t *testing.T) {
	rt := bridged(t)
	source := `const said = [serviceText(1000, 1, 0, "x")];
try { newObject(1000, 3, 0, "") } catch (e) { said.push(e.message) }
await serviceAsync(1000, 5, 0, 1, "").catch((e) => said.push(e.message));
export default { fetch() { return new Response(said.join(" / ")) } }`
	p, err := rt.NewPool(context.Background(), jsSpec(source))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	outside := "This operation is not allowed outside of a request."
	wants(t, p, &fakeHost{}, testRequest("GET", "http://a.test/", ""), "200 x / "+outside+" / "+outside)
}
