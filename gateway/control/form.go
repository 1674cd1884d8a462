package control

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
)

const (
	maxParts    = 2048     // of one form; a bundle of a thousand modules still fits
	maxPartSize = 32 << 20 // bytes of one part
	maxPartName = 512      // bytes of a part's name or filename
)

// part is one part of a form as the client sent it.
type part struct {
	name        string
	filename    string // as sent: the library's Part.FileName drops directories, which are part of a module's name
	contentType string // without parameters, lower case; may be empty
	body        []byte
}

// form is a buffered multipart body. It is read whole before anything is decided, because the
// Go SDK sends its metadata last.
type form []part

// boundaryOf returns the multipart boundary, "" when the body is not multipart. Beside the
// header it looks at the body, because the TypeScript SDK 7.3 labels its multipart uploads
// `application/javascript`; no script begins with a boundary line and a form-data header.
func boundaryOf(contentType string, body []byte) (string, error) {
	mediaType, params, err := mime.ParseMediaType(contentType)
	if strings.HasPrefix(mediaType, "multipart/") {
		if b := params["boundary"]; b != "" {
			return b, nil
		}
		if b := sniffBoundary(body); b != "" {
			return b, nil
		}
		if err == nil {
			err = errors.New("no boundary")
		}
		return "", fail(http.StatusBadRequest, codeBody, "Content-Type "+quote(contentType)+": "+err.Error())
	}
	return sniffBoundary(body), nil
}

// sniffBoundary takes the boundary from the first line when a form-data header follows it.
func sniffBoundary(body []byte) string {
	line, rest, ok := bytes.Cut(body, []byte("\r\n"))
	const header = "content-disposition: form-data"
	if !ok || len(line) < 3 || len(line) > 72 || !bytes.HasPrefix(line, []byte("--")) || len(rest) < len(header) {
		return ""
	}
	if !bytes.EqualFold(rest[:len(header)], []byte(header)) {
		return ""
	}
	return string(line[2:])
}

// parseForm splits a multipart body. Its errors name the part.
func parseForm(body []byte, boundary string) (form, error) {
	var f form
	for r := multipart.NewReader(bytes.NewReader(body), boundary); ; {
		p, err := r.NextPart()
		if err == io.EOF {
			return f, nil
		}
		if err != nil {
			return nil, badForm(f, err)
		}
		if len(f) == maxParts {
			return nil, fail(http.StatusBadRequest, codeTooLarge, fmt.Sprintf("multipart body has more than %d parts", maxParts))
		}
		parsed, err := readPart(p, len(f))
		if err != nil {
			return nil, err
		}
		f = append(f, parsed)
	}
}

func badForm(read form, err error) error {
	where := "the first part"
	if n := len(read); n > 0 {
		where = "after part " + quote(read[n-1].name)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = errors.New("the body ends without its closing boundary")
	}
	return fail(http.StatusBadRequest, codeBody, "multipart body, "+where+": "+err.Error())
}

func readPart(p *multipart.Part, index int) (part, error) {
	_, params, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
	if err != nil || params["name"] == "" {
		return part{}, fail(http.StatusBadRequest, codeBody, fmt.Sprintf("part %d of the multipart body has no name", index+1))
	}
	parsed := part{name: params["name"], filename: params["filename"]}
	if len(parsed.name) > maxPartName || len(parsed.filename) > maxPartName {
		return part{}, fail(http.StatusBadRequest, codeBody, fmt.Sprintf("part %d of the multipart body has a name longer than %d bytes", index+1, maxPartName))
	}
	parsed.contentType, _, _ = mime.ParseMediaType(p.Header.Get("Content-Type"))
	parsed.body, err = io.ReadAll(io.LimitReader(p, maxPartSize+1))
	if err != nil {
		return part{}, badForm(form{parsed}, err)
	}
	if len(parsed.body) > maxPartSize {
		return part{}, fail(http.StatusRequestEntityTooLarge, codeTooLarge, fmt.Sprintf("part %s exceeds %d bytes", quote(parsed.name), maxPartSize))
	}
	return parsed, nil
}

// document returns the JSON of the part called name and the remaining parts. When the client
// flattened it into fields `name[key]…`, it is put together again from those.
func (f form) document(name string) (doc []byte, rest form, err error) {
	var fields []field
	for _, p := range f {
		switch key, bracketed := strings.CutPrefix(p.name, name+"["); {
		case p.name == name && doc != nil:
			return nil, nil, fail(http.StatusBadRequest, codeBody, "part "+quote(name)+" is sent twice")
		case p.name == name:
			doc = p.body
		case bracketed:
			fields = append(fields, field{path: "[" + key, value: string(p.body)})
		default:
			rest = append(rest, p)
		}
	}
	if len(doc) > maxJSONBody {
		return nil, nil, fail(http.StatusRequestEntityTooLarge, codeTooLarge, fmt.Sprintf("part %s exceeds %d bytes", quote(name), maxJSONBody))
	}
	if doc == nil && fields != nil {
		doc, err = unflatten(name, fields)
	}
	return doc, rest, err
}
