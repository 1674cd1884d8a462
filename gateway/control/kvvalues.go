package control

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"time"

	"switchyard/engine"
)

type kvKeyJSON struct {
	Name       string          `json:"name"`
	Expiration int64           `json:"expiration,omitempty"`
	Metadata   json.RawMessage `json:"metadata,omitempty"`
}

// kvCursorInfo is what a page of keys says besides; an empty cursor is the end.
type kvCursorInfo struct {
	Count  int    `json:"count"`
	Cursor string `json:"cursor"`
}

const minKVList = 10 // keys of a page: the public API has no smaller ones

func (s *server) listKVKeys(c *call) (any, error) {
	limit := engine.MaxKVList
	if err := c.queryNumber("limit", &limit, engine.MaxKVList); err != nil {
		return nil, err
	}
	if limit < minKVList {
		return nil, refuse(fmt.Sprintf("limit: %d is less than %d", limit, minKVList))
	}
	after, err := engine.KVAfter(c.query("cursor"))
	if err != nil {
		return nil, err
	}
	prefix := c.query("prefix")
	if len(prefix) > engine.MaxKVKey {
		return nil, refuse(fmt.Sprintf("prefix: has %d bytes, a key has at most %d", len(prefix), engine.MaxKVKey))
	}
	pairs, more, err := s.Platform.KVList(c.param("kv"), prefix, after, limit)
	if err != nil {
		return nil, err
	}
	info := kvCursorInfo{Count: len(pairs)}
	if more {
		info.Cursor = engine.KVCursor(pairs[len(pairs)-1].Key)
	}
	return list{collect(pairs, func(p engine.KVPair) kvKeyJSON { return kvKeyJSON{p.Key, p.Expiration, p.Metadata} }), info}, nil
}

// kvPair finds the pair that a path names.
func (s *server) kvPair(c *call, folder string) (*engine.KVPair, error) {
	key, err := kvKeyOf(c, folder)
	if err != nil {
		return nil, err
	}
	p, err := s.Platform.KVGet(c.param("kv"), key)
	if err == nil && p == nil {
		err = fail(http.StatusNotFound, codeKVKeyNotFound, "get: 'key not found'")
	}
	return p, err
}

func (s *server) getKVValue(c *call) (any, error) {
	p, err := s.kvPair(c, "values")
	if err != nil {
		return nil, err
	}
	out := raw{contentType: "application/octet-stream", body: p.Value}
	if p.Expiration != 0 {
		out.header = map[string]string{"Expiration": strconv.FormatInt(p.Expiration, 10)}
	}
	return out, nil
}

func (s *server) getKVMetadata(c *call) (any, error) {
	p, err := s.kvPair(c, "metadata")
	if err != nil {
		return nil, err
	}
	return json.RawMessage(p.Metadata), nil // nil is null
}

// maxKVForm bounds a form with a value and its metadata.
const maxKVForm = engine.MaxKVValue + 64<<10

func (s *server) putKVValue(c *call) (any, error) {
	key, err := kvKeyOf(c, "values")
	if err != nil {
		return nil, err
	}
	if _, err := s.Platform.KVNamespace(c.param("kv")); err != nil {
		return nil, err
	}
	p := engine.KVPair{Key: key}
	if p.Expiration, err = c.kvExpiration(); err != nil {
		return nil, err
	}
	body, err := c.readBody(maxKVForm)
	if err != nil {
		return nil, err
	}
	if p.Value, p.Metadata, err = kvBody(c.r.Header.Get("Content-Type"), body); err != nil {
		return nil, err
	}
	return struct{}{}, s.Platform.KVPut(c.context(), c.param("kv"), p)
}

// kvBody reads what a value is sent as: itself, or by its content type a form with value and metadata. A value may look
// like a form, so that nothing is guessed here.
func kvBody(contentType string, body []byte) (value, metadata []byte, err error) {
	if mediaType, _, _ := mime.ParseMediaType(contentType); mediaType != "multipart/form-data" {
		return body, nil, nil
	}
	boundary, err := boundaryOf(contentType, body)
	if err != nil {
		return nil, nil, err
	}
	parts, err := parseForm(body, boundary)
	if err != nil {
		return nil, nil, err
	}
	found := false
	for _, p := range parts {
		switch p.name {
		case "value":
			value, found = p.body, true
		case "metadata":
			metadata = kvMetadata(p.body)
		}
	}
	if !found {
		return nil, nil, refuse("value: the form has no part with this name")
	}
	return value, metadata, nil
}

// kvMetadata is nil for what stands for none.
func kvMetadata(text []byte) []byte {
	if len(text) == 0 || string(text) == "null" {
		return nil
	}
	return text
}

// kvExpiration reads the query's expiration and expiration_ttl.
func (c *call) kvExpiration() (int64, error) {
	var given [2]*int64
	for i, name := range []string{"expiration", "expiration_ttl"} {
		text := c.query(name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, refuse(name + ": must be a whole number of seconds, not " + quote(text))
		}
		given[i] = &n
	}
	return engine.KVExpiration(given[0], given[1], time.Now())
}

func (s *server) deleteKVValue(c *call) (any, error) {
	key, err := kvKeyOf(c, "values")
	if err != nil {
		return nil, err
	}
	return struct{}{}, s.Platform.KVDelete(c.context(), c.param("kv"), key)
}
