package control

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"switchyard/engine"
)

// Ceilings of one bulk request.
const (
	maxKVBulk     = 10_000    // pairs or keys
	maxKVBulkBody = 100 << 20 // bytes
	maxKVBulkGet  = 100       // keys
)

type kvBulkPair struct {
	Key        *string         `json:"key"`
	Value      *string         `json:"value"`
	Base64     bool            `json:"base64"`
	Expiration *int64          `json:"expiration"`
	TTL        *int64          `json:"expiration_ttl"`
	Metadata   json.RawMessage `json:"metadata"`
}

func (b *kvBulkPair) decode(now time.Time) (p engine.KVPair, err error) {
	if b.Key == nil || b.Value == nil {
		return p, refuse("key and value are needed, both texts")
	}
	p = engine.KVPair{Key: *b.Key, Value: []byte(*b.Value), Metadata: kvMetadata(b.Metadata)}
	if err := engine.CheckKVKey(p.Key); err != nil {
		return p, err
	}
	if b.Base64 {
		if p.Value, err = base64.StdEncoding.DecodeString(*b.Value); err != nil {
			return p, refuse("value: is not base64: " + err.Error())
		}
	}
	p.Expiration, err = engine.KVExpiration(b.Expiration, b.TTL, now)
	return p, err
}

type kvBulkResult struct {
	Successful   int      `json:"successful_key_count"`
	Unsuccessful []string `json:"unsuccessful_keys"`
}

// readKVBulk reads an array of a bulk request, which may be larger than other JSON.
func (c *call) readKVBulk(into any) error {
	body, err := c.readBody(maxKVBulkBody)
	if err != nil {
		return err
	}
	return decodeJSON("body", body, into)
}

// putKVBulk keeps all pairs, or none when one of them is wrong.
func (s *server) putKVBulk(c *call) (any, error) {
	var sent []kvBulkPair
	if err := c.readKVBulk(&sent); err != nil {
		return nil, err
	}
	if len(sent) > maxKVBulk {
		return nil, refuse(fmt.Sprintf("there are %d pairs, at most %d at once", len(sent), maxKVBulk))
	}
	pairs, now := make([]engine.KVPair, len(sent)), time.Now()
	for i := range sent {
		var err error
		if pairs[i], err = sent[i].decode(now); err != nil {
			p := problemOf(err, "")
			p.Message = fmt.Sprintf("[%d]: %s", i, p.Message)
			return nil, p
		}
	}
	if err := s.Platform.KVPut(c.context(), c.param("kv"), pairs...); err != nil {
		return nil, err
	}
	return kvBulkResult{len(pairs), []string{}}, nil
}

func (s *server) deleteKVBulk(c *call) (any, error) {
	var keys []string
	if err := c.readKVBulk(&keys); err != nil {
		return nil, err
	}
	if len(keys) > maxKVBulk {
		return nil, refuse(fmt.Sprintf("there are %d keys, at most %d at once", len(keys), maxKVBulk))
	}
	for i, key := range keys {
		if err := engine.CheckKVKey(key); err != nil {
			return nil, refuse(fmt.Sprintf("[%d]: %v", i, err))
		}
	}
	if err := s.Platform.KVDelete(c.context(), c.param("kv"), keys...); err != nil {
		return nil, err
	}
	return kvBulkResult{len(keys), []string{}}, nil
}

type kvBulkValue struct {
	Value      any             `json:"value"`
	Metadata   json.RawMessage `json:"metadata"`
	Expiration int64           `json:"expiration,omitempty"`
}

// getKVBulk reads several values as text or, with type json, as JSON; null where there is none.
func (s *server) getKVBulk(c *call) (any, error) {
	var asked struct {
		Keys         []string `json:"keys"`
		Type         string   `json:"type"`
		WithMetadata bool     `json:"withMetadata"`
	}
	if err := c.readJSON(&asked); err != nil {
		return nil, err
	}
	switch {
	case len(asked.Keys) > maxKVBulkGet:
		return nil, refuse(fmt.Sprintf("keys: there are %d, at most %d at once", len(asked.Keys), maxKVBulkGet))
	case asked.Type != "" && asked.Type != "text" && asked.Type != "json":
		return nil, refuse("type: must be text or json, not " + quote(asked.Type))
	}
	values, size := map[string]any{}, 0
	for i, key := range asked.Keys {
		if err := engine.CheckKVKey(key); err != nil {
			return nil, refuse(fmt.Sprintf("keys[%d]: %v", i, err))
		}
		p, err := s.Platform.KVGet(c.param("kv"), key)
		if err != nil {
			return nil, err
		}
		values[key] = nil
		if p == nil {
			continue
		}
		if size += len(p.Value); size > engine.MaxKVValue {
			return nil, fail(http.StatusRequestEntityTooLarge, codeTooLarge, fmt.Sprintf("the values have more than %d bytes together", engine.MaxKVValue))
		}
		value, err := kvValueAs(asked.Type, p)
		if err != nil {
			return nil, err
		}
		if values[key] = value; asked.WithMetadata {
			values[key] = kvBulkValue{value, p.Metadata, p.Expiration}
		}
	}
	return map[string]any{"values": values}, nil
}

func kvValueAs(kind string, p *engine.KVPair) (any, error) {
	if kind != "json" {
		return strings.ToValidUTF8(string(p.Value), "\ufffd"), nil
	}
	if !json.Valid(p.Value) {
		return nil, refuse("type: the value of key " + quote(p.Key) + " is not JSON")
	}
	return json.RawMessage(p.Value), nil
}
