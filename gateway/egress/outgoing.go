package egress

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"sync/atomic"

	"switchyard/gateway"
	"switchyard/isolate"
)

// outgoing holds a Worker's request until nobody uses its buffers any more: the transport may
// still be sending a body after the response has come.
type outgoing struct {
	req    *isolate.Request
	target *target
	header http.Header
	refs   atomic.Int32
}

func newOutgoing(req *isolate.Request) *outgoing {
	o := &outgoing{req: req}
	o.refs.Store(1)
	return o
}

func (o *outgoing) release() {
	if o.refs.Add(-1) == 0 {
		o.req.Release()
	}
}

// kept says which request headers stay at home: what is hop by hop, what the transport
// writes itself, and what tells an origin who the client is in the platform's name.
func kept(name string) bool {
	switch name {
	case "host", "content-length", "connection", "keep-alive", "proxy-connection", "proxy-authorization", "te", "trailer",
		"transfer-encoding", "upgrade", "expect", "cf-connecting-ip", "cf-connecting-ipv6", "cf-ray", "cf-visitor", "cf-worker",
		"cf-ew-via", "cf-ipcountry", "true-client-ip":
		return true
	}
	return strings.HasPrefix(name, "x-switchyard-")
}

// prepare checks the request and makes its header, whose names are canonical, as net/http wants
// them.
func (o *outgoing) prepare(hops string) (err error) {
	if o.target, err = parseTarget(string(o.req.Head.URL())); err != nil {
		return err
	}
	switch string(o.req.Head.Method()) {
	case "CONNECT", "TRACE", "TRACK":
		return errMethod
	}
	o.header = make(http.Header)
	var named []string // by Connection
	for b := o.req.Head.Headers(); len(b) > 0; {
		var name, value []byte
		name, value, b = b.Next()
		if string(name) == "connection" {
			named = append(named, strings.Split(string(value), ",")...)
		}
		if !kept(string(name)) {
			key := textproto.CanonicalMIMEHeaderKey(string(name))
			o.header[key] = append(o.header[key], string(value))
		}
	}
	for _, name := range named {
		o.header.Del(strings.TrimSpace(name))
	}
	if o.header["User-Agent"] == nil {
		o.header["User-Agent"] = []string{""} // or net/http names itself
	}
	o.header.Set("Accept-Encoding", acceptEncoding(o.header["Accept-Encoding"]))
	o.header.Set(gateway.LoopHeader, hops)
	return nil
}

// acceptEncoding is what an origin may answer in: what a Worker can read. One that passes its
// client's headers on may ask for less, not for what nobody here decodes: it would read that as text.
func acceptEncoding(asked []string) string {
	if asked == nil {
		return "gzip, br"
	}
	var known []string
	for member := range strings.SplitSeq(strings.Join(asked, ","), ",") {
		member = strings.TrimSpace(member)
		name, _, _ := strings.Cut(member, ";")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "br", "identity":
			known = append(known, member)
		}
	}
	if known == nil {
		return "identity"
	}
	return strings.Join(known, ", ")
}

// request makes what the transport sends. It must have been prepared.
func (o *outgoing) request(ctx context.Context) *http.Request {
	r := (&http.Request{
		Method:     string(o.req.Head.Method()),
		URL:        wireURL(o.target),
		Host:       o.target.authority(),
		Header:     o.header,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Body:       http.NoBody,
	}).WithContext(ctx)
	switch body := o.req.Body; {
	case body.Stream != nil && body.Length != 0:
		r.ContentLength = body.Length
		r.Body = o.reader(body.Stream)
	case len(body.Bytes) > 0:
		r.ContentLength = int64(len(body.Bytes))
		r.Body = o.reader(bytes.NewReader(body.Bytes))
		r.GetBody = func() (io.ReadCloser, error) { return o.reader(bytes.NewReader(body.Bytes)), nil }
	}
	return r
}

// wireURL is a URL whose request line net/http writes byte by byte as the target says. Its
// own Path would be decoded and encoded again. "//" at the beginning would make it write the
// absolute form, with what follows taken for the host: that form is written in full then.
func wireURL(t *target) *url.URL {
	u := &url.URL{Scheme: t.scheme, Host: t.dialled(), Opaque: t.path()}
	if strings.HasPrefix(u.Opaque, "//") {
		u.Opaque = "//" + t.authority() + u.Opaque
	}
	return u
}

// reader is a body on its way out. The transport closes it, perhaps after Fetch has returned.
func (o *outgoing) reader(r io.Reader) io.ReadCloser {
	o.refs.Add(1)
	return &sending{Reader: r, out: o}
}

type sending struct {
	io.Reader
	out    *outgoing
	closed atomic.Bool
}

func (s *sending) Close() error {
	if !s.closed.Swap(true) {
		s.out.release()
	}
	return nil
}
