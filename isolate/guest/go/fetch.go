//go:build wasip1

package worker

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"unsafe"

	"switchyard/isolate/abi"
)

// Transport is an http.RoundTripper on the host's fetch. As it is used through an http.Client,
// it does not follow redirects: the client does. A program that sets
//
//	http.DefaultTransport = worker.Transport{}
//
// can use http.Get and libraries built on it. That links the whole of net/http's client and
// doubles the module's size, so this package does not do it by itself.
type Transport struct{}

// RoundTrip implements http.RoundTripper.
func (Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	return send(r, abi.FetchBlock{Binding: -1, Redirect: abi.RedirectManual})
}

// Fetch sends r and follows redirects.
func Fetch(r *http.Request) (*http.Response, error) {
	return send(r, abi.FetchBlock{Binding: -1})
}

// Service is a binding to another Worker.
type Service struct{ name string }

// Binding names a service binding.
func Binding(name string) Service { return Service{name} }

// Fetch has the service handle r.
func (s Service) Fetch(r *http.Request) (*http.Response, error) {
	index, err := lookUp(s.name)
	if err != nil {
		return nil, err
	}
	return send(r, abi.FetchBlock{Binding: index, Redirect: abi.RedirectManual})
}

// DispatchNamespace is a binding to a namespace of user Workers.
type DispatchNamespace struct{ name string }

// Dispatcher names a dispatch namespace binding.
func Dispatcher(name string) DispatchNamespace { return DispatchNamespace{name} }

// DispatchOptions apply to one call of a user Worker. The zero value is none.
type DispatchOptions struct {
	Args     any            `json:"args,omitempty"`
	Limits   *DispatchLimit `json:"limits,omitempty"`
	Outbound map[string]any `json:"outbound,omitempty"` // values of the binding's declared parameters
}

// DispatchLimit is what the user Worker may spend. Zero is the platform's own limit.
type DispatchLimit struct {
	CPUMs       int `json:"cpuMs,omitempty"`
	SubRequests int `json:"subRequests,omitempty"`
}

// UserWorker is a stub for a user Worker. It is looked up when it is used.
type UserWorker struct {
	namespace DispatchNamespace
	name      string
	options   *DispatchOptions
}

// Get names a user Worker. At most one set of options is used.
func (d DispatchNamespace) Get(name string, options ...DispatchOptions) UserWorker {
	u := UserWorker{namespace: d, name: name}
	if len(options) > 0 {
		u.options = &options[0]
	}
	return u
}

// Fetch has the user Worker handle r. The error reads "Worker not found" when there is none.
func (u UserWorker) Fetch(r *http.Request) (*http.Response, error) {
	var options []byte
	if u.options != nil {
		var err error
		if options, err = json.Marshal(u.options); err != nil {
			return nil, err
		}
	}
	return sendNamed(u.namespace.name, u.name, options, r)
}

func lookUp(name string) (int32, error) {
	index := bindingIndex(current, atText(name), size(name))
	if index < 0 {
		return 0, errors.New("there is no binding " + name)
	}
	return index, nil
}

// send performs one fetch. It blocks this goroutine only.
func send(r *http.Request, block abi.FetchBlock) (*http.Response, error) {
	req := current
	if req == 0 {
		return nil, abi.OutOfScope
	}
	head := outgoing(r)
	block.Head, block.HeadLen = address(at(head)), size(head)
	source, err := attach(req, r, &block)
	if err != nil {
		return nil, err
	}
	op := fetch(req, at(abi.AppendFetchBlock(nil, block)))
	runtime.KeepAlive(head)
	if op < 0 {
		if source != nil {
			streamEnd(req, int32(block.Body), 1)
		}
		return nil, abi.Code(op)
	}
	if source != nil {
		pump(req, int32(block.Body), source)
	}
	if err := waitFor(r.Context(), req, op); err != nil {
		return nil, err
	}
	return response(req, op, r)
}

// attach says where r's body comes from. A body that was never read is given away by handle;
// any other is streamed from source.
func attach(req uint32, r *http.Request, block *abi.FetchBlock) (source io.ReadCloser, err error) {
	switch b := r.Body.(type) {
	case nil:
		return nil, nil
	case *body:
		if b.handle == 0 {
			return nil, nil
		}
		block.BodyKind, block.Body = abi.BodyHandle, uint32(b.handle)
		b.handle = 0
		return nil, nil
	}
	if r.Body == http.NoBody {
		return nil, nil
	}
	stream := streamNew(req)
	if stream < 0 {
		return nil, abi.Code(stream)
	}
	block.BodyKind, block.Body, block.BodyLen = abi.BodyStream, uint32(stream), -1
	if n := r.ContentLength; n > 0 && n <= 1<<31-1 {
		block.BodyLen = int32(n)
	}
	return r.Body, nil
}

// pump writes source to the stream to its end, or until nobody reads it.
func pump(req uint32, stream int32, source io.ReadCloser) {
	defer source.Close()
	w := writer{req: req, stream: stream}
	_, err := io.Copy(struct{ io.Writer }{sender{&w}}, source)
	failed := uint32(0)
	if err != nil && !errors.Is(err, abi.Gone) {
		failed = 1
	}
	streamEnd(req, stream, failed)
}

type sender struct{ w *writer }

func (s sender) Write(p []byte) (int, error) { return s.w.send(p) }

func outgoing(r *http.Request) []byte {
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	u := *r.URL
	u.Fragment = ""
	b := abi.AppendRequestHead(nil, method, u.String())
	if r.Host != "" && r.Host != u.Host {
		b = abi.AppendHeader(b, 0, "host", r.Host)
	}
	for name, values := range r.Header {
		for _, value := range values {
			b = abi.AppendHeader(b, 0, name, value)
		}
	}
	return b
}

// response makes the completed operation a response.
func response(req uint32, op int32, r *http.Request) (*http.Response, error) {
	id := opResponse(req, op)
	if id == int32(abi.Failed) {
		text, _ := collect(make([]byte, 256), func(p unsafe.Pointer, room uint32) int32 { return opError(req, op, p, room) })
		return nil, errors.New(string(text))
	}
	if id < 0 {
		return nil, abi.Code(id)
	}
	raw, n := collect(scratch, func(p unsafe.Pointer, room uint32) int32 { return responseHead(req, id, p, room) })
	if n < 0 {
		return nil, abi.Code(n)
	}
	head := abi.ResponseHead(raw)
	resp := &http.Response{
		StatusCode: head.Status(), Status: http.StatusText(head.Status()),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header(head.Headers()), Body: http.NoBody, Request: finalRequest(req, id, r),
	}
	resp.ContentLength = contentLength(resp.Header)
	if b := responseBody(req, id); b > 0 {
		resp.Body = &body{req: req, handle: b, response: id}
	} else {
		closeHandle(req, id)
	}
	return resp, nil
}

// finalRequest tells where redirects led to.
func finalRequest(req uint32, id int32, r *http.Request) *http.Request {
	text, _ := collect(make([]byte, 256), func(p unsafe.Pointer, room uint32) int32 { return responseURL(req, id, p, room) })
	u, err := url.Parse(string(text))
	if err != nil || len(text) == 0 || u.String() == r.URL.String() {
		return r
	}
	final := *r
	final.URL = u
	return &final
}

// Forward answers with resp: status, headers, and the body, whose bytes stay in the host if
// nobody has read any.
func Forward(w http.ResponseWriter, resp *http.Response) error {
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	_, err := io.Copy(w, resp.Body)
	resp.Body.Close()
	return err
}

func address(p unsafe.Pointer) uint32 { return uint32(uintptr(p)) }

// words encodes operation numbers for wait.
func words(ops []int32) []byte {
	b := make([]byte, 0, 4*len(ops))
	for _, op := range ops {
		b = binary.LittleEndian.AppendUint32(b, uint32(op))
	}
	return b
}
