package control

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"switchyard/engine"
)

const (
	maxManifest = 32 << 20 // bytes of a manifest of 100,000 paths, as JSON
	maxAsset    = 25 << 20 // bytes of one file
	noType      = "application/null"
)

// assetsJSON is "assets" in an upload's metadata.
type assetsJSON struct {
	JWT    string          `json:"jwt"`
	Config json.RawMessage `json:"config"`
}

// decode is the engine's word for it; nil where the upload says nothing.
func (a *assetsJSON) decode() *engine.AssetsUpload {
	if a == nil {
		return nil
	}
	u := &engine.AssetsUpload{Token: a.JWT, Config: a.Config}
	if string(a.Config) == "null" {
		u.Config = nil
	}
	if u.Token == "" && u.Config == nil {
		return nil
	}
	return u
}

type sessionJSON struct {
	JWT     string     `json:"jwt,omitempty"`
	Buckets [][]string `json:"buckets"`
}

// beginAssets begins an upload of static assets: it answers with what is missing.
func (s *server) beginAssets(c *call) (any, error) {
	body, err := c.readBody(maxManifest)
	if err != nil {
		return nil, err
	}
	var sent struct {
		Manifest *map[string]engine.AssetFile `json:"manifest"`
	}
	if err := decodeJSON("body", body, &sent); err != nil {
		return nil, err
	}
	if sent.Manifest == nil {
		p := refuse("manifest is missing: an object of the files' paths, each with hash and size")
		p.Source = &source{"/manifest"}
		return nil, p
	}
	session, err := s.Platform.BeginAssets(c.context(), c.ref(), *sent.Manifest)
	if err != nil {
		return nil, err
	}
	return sessionJSON{session.Token, session.Buckets}, nil
}

// isAssetUpload reports whether a request brings the token of an upload session in the place of an
// API token: wrangler and the SDKs send nothing else there.
func isAssetUpload(r *http.Request) bool {
	at := segments(r.URL.EscapedPath())
	return r.Method == http.MethodPost && len(at) == 7 && strings.Join(at[4:], "/") == "workers/assets/upload"
}

// uploadAssets takes files of a session, one at a time: a form of one part a file, called by its
// hash, base64 inside, whose content type is what the file is served with.
func (s *server) uploadAssets(c *call) (any, error) {
	token, ok := presented(c.r)
	if !ok {
		return nil, fail(http.StatusUnauthorized, codeAuth, "Authentication error: send the jwt of the upload session as `Authorization: Bearer JWT`")
	}
	if err := s.Platform.VerifyAssets(token); err != nil {
		return nil, err
	}
	if c.query("base64") != "true" {
		return nil, fail(http.StatusBadRequest, codeBody, "base64=true is missing in the query: files are sent as base64")
	}
	parts, err := s.assetParts(c)
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		p, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, badAssets(n, err)
		}
		if n == maxParts {
			return nil, fail(http.StatusBadRequest, codeTooLarge, fmt.Sprintf("multipart body has more than %d parts", maxParts))
		}
		if err := s.putAsset(c, token, p); err != nil {
			return nil, err
		}
	}
	completion, err := s.Platform.FinishAssets(c.context(), token)
	if err != nil {
		return nil, err
	}
	if completion == "" {
		return withStatus{http.StatusAccepted, struct{}{}}, nil
	}
	return withStatus{http.StatusCreated, struct {
		JWT string `json:"jwt"`
	}{completion}}, nil
}

// assetParts reads the form as it comes.
func (s *server) assetParts(c *call) (*multipart.Reader, error) {
	body := bufio.NewReader(http.MaxBytesReader(c.w, c.r.Body, s.MaxUpload))
	begin, _ := body.Peek(256) // of a shorter body all there is
	boundary, err := boundaryOf(c.r.Header.Get("Content-Type"), begin)
	if err != nil {
		return nil, err
	}
	if boundary == "" {
		return nil, fail(http.StatusBadRequest, codeBody, "files are sent as multipart/form-data, not as "+quote(c.r.Header.Get("Content-Type")))
	}
	return multipart.NewReader(body, boundary), nil
}

func (s *server) putAsset(c *call, token string, p *multipart.Part) error {
	hash := p.FormName()
	encoded := io.LimitReader(p, int64(base64.StdEncoding.EncodedLen(maxAsset))+4)
	content, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, encoded))
	if corrupt := base64.CorruptInputError(0); errors.As(err, &corrupt) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fail(http.StatusBadRequest, codeBody, fmt.Sprintf("part %s is not base64: %v", quote(hash), err))
	}
	if err != nil {
		return badAssets(0, err)
	}
	contentType := p.Header.Get("Content-Type")
	if media, _, _ := mime.ParseMediaType(contentType); media == noType {
		contentType = ""
	}
	return s.Platform.PutAsset(c.context(), token, hash, contentType, content)
}

// badAssets explains a form that could not be read on after n files.
func badAssets(n int, err error) error {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return fail(http.StatusRequestEntityTooLarge, codeTooLarge, fmt.Sprintf("request body exceeds %d bytes", tooLarge.Limit))
	}
	return badForm(make(form, n), err)
}
