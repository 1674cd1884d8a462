package control

import (
	"fmt"
	"mime"
	"net/http"
	"time"

	"switchyard/engine"
	"switchyard/isolate"
)

const (
	uploadWait = 30 * time.Second // for one of the MaxUploads places
	uploadTime = 5 * time.Minute  // to send the whole body: a place is not held for ever
)

// upload is an endpoint that reads up to MaxUpload bytes into memory. At most MaxUploads of
// them are at work at once, from the first byte read to the answer.
func (s *server) upload(e endpoint) endpoint {
	return func(c *call) (any, error) {
		timer := time.NewTimer(uploadWait)
		defer timer.Stop()
		select {
		case s.uploads <- struct{}{}:
			defer func() { <-s.uploads }()
		case <-timer.C:
			return nil, fail(http.StatusServiceUnavailable, codeBusy, fmt.Sprintf("%d uploads are in progress already: try again", s.MaxUploads))
		case <-c.context().Done():
			return nil, c.context().Err()
		}
		// A writer that has no deadlines, as in tests, has nothing to hold up either.
		_ = http.NewResponseController(c.w).SetReadDeadline(time.Now().Add(uploadTime))
		return e(c)
	}
}

// readUpload reads a script in whatever way the client sends it: as a form in any of the
// clients' dialects, or as the bare source of one module.
func (s *server) readUpload(c *call) (engine.Upload, error) {
	u, err := s.readScript(c)
	if err == nil && c.query("bindings_inherit") == "strict" {
		u.StrictInherit = true
	}
	return u, err
}

func (s *server) readScript(c *call) (engine.Upload, error) {
	body, err := c.readBody(s.MaxUpload)
	if err != nil {
		return engine.Upload{}, err
	}
	contentType := c.r.Header.Get("Content-Type")
	boundary, err := boundaryOf(contentType, body)
	if err != nil {
		return engine.Upload{}, err
	}
	if boundary == "" {
		return bareUpload(contentType, body)
	}
	f, err := parseForm(body, boundary)
	if err != nil {
		return engine.Upload{}, err
	}
	return formUpload(f, c.r.Header)
}

// formUpload makes an upload of a form. Its metadata may come last.
func formUpload(f form, h http.Header) (engine.Upload, error) {
	doc, parts, err := f.document("metadata")
	if err != nil {
		return engine.Upload{}, err
	}
	var m metadata
	if doc != nil {
		err = decodeJSON("metadata", doc, &m)
	} else {
		err = m.fromHeader(h)
	}
	if err != nil {
		return engine.Upload{}, err
	}
	u, err := m.upload(doc)
	if err != nil {
		return engine.Upload{}, err
	}
	u.Modules, err = modulesOf(parts, u.Main, m.BodyPart != "")
	return u, err
}

// bare says what a body that is not a form is, and what its only module is called then. As in
// the public API plain JavaScript is service-worker syntax.
var bare = map[string]struct {
	name string
	kind isolate.ModuleKind
}{
	"application/javascript":        {"worker.js", isolate.ModuleJS},
	"text/javascript":               {"worker.js", isolate.ModuleJS},
	"application/javascript+module": {"worker.mjs", isolate.ModuleES},
	"text/javascript+module":        {"worker.mjs", isolate.ModuleES},
	"application/wasm":              {"worker.wasm", isolate.ModuleWasm},
}

// bareUpload is a body that is the module itself.
func bareUpload(contentType string, body []byte) (engine.Upload, error) {
	mediaType, _, _ := mime.ParseMediaType(contentType)
	b, ok := bare[mediaType]
	if !ok {
		return engine.Upload{}, fail(http.StatusBadRequest, codeBody, "Content-Type "+quote(contentType)+
			": a script is sent as multipart/form-data, or bare as application/javascript, application/javascript+module or application/wasm")
	}
	if len(body) == 0 {
		return engine.Upload{}, refuse("the script is empty")
	}
	if err := checkSource(b.name, b.kind, body); err != nil {
		return engine.Upload{}, err
	}
	return engine.Upload{Main: b.name, Modules: []isolate.Module{{Name: b.name, Kind: b.kind, Source: body}}}, nil
}
