package control

import (
	"bytes"
	"mime/multipart"
	"net/textproto"
	"strings"

	"switchyard/engine"
	"switchyard/isolate"
)

// getContent answers with the source that is deployed: a single classic script as it is,
// anything else as a form of one part a module, the main one named in a header.
func (s *server) getContent(c *call) (any, error) {
	if version := c.query("version"); version != "" {
		return content(s.Platform.VersionContent(c.ref(), version))
	}
	return content(s.Platform.Content(c.ref()))
}

// getVersionContent answers with the source of one version, whether it is deployed or not.
func (s *server) getVersionContent(c *call) (any, error) {
	return content(s.Platform.VersionContent(c.ref(), c.param("version")))
}

func content(main string, modules []isolate.Module, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	header := map[string]string{"Cf-Entrypoint": main}
	if len(modules) == 1 && modules[0].Kind == isolate.ModuleJS {
		return raw{contentType: contentTypes[isolate.ModuleJS], header: header, body: modules[0].Source}, nil
	}
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for _, m := range modules {
		h := textproto.MIMEHeader{}
		name := strings.ReplaceAll(m.Name, `"`, "%22")
		h.Set("Content-Disposition", `form-data; name="`+name+`"; filename="`+name+`"`)
		h.Set("Content-Type", contentTypes[m.Kind])
		// Writes to a Buffer do not fail, nor do those of its Writer.
		p, _ := w.CreatePart(h)
		p.Write(m.Source)
	}
	w.Close()
	return raw{contentType: w.FormDataContentType(), header: header, body: buf.Bytes()}, nil
}

// putContent replaces the modules and leaves everything else.
func (s *server) putContent(c *call) (any, error) {
	sent, err := s.readUpload(c)
	if err != nil {
		return nil, err
	}
	if sent.Main == "" {
		return nil, refuse("metadata names no main_module and no body_part")
	}
	return described(describeScript)(s.edit(c, func(u *engine.Upload) error {
		u.Main, u.Modules = sent.Main, sent.Modules
		return nil
	}))
}
