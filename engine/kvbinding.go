package engine

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"switchyard/isolate"
)

var cursorEncoding = base64.RawURLEncoding

// kvBinding is one kv_namespace binding. A call's name is the key; what else there is, is in its options and body.
// Answers: 404 where there is no such key, else 200.
//
//	op        more options                        body           answer
//	get       cacheTtl                            –              the value; kv-metadata: JSON in ASCII
//	getmany   cacheTtl                            [key, …]       [[value as text, metadata] or null, …]
//	put       expiration, expirationTtl, metadata the value      –
//	delete    –                                   –              –
//	list      prefix, limit, cursor               –              {keys, list_complete, cursor, cacheStatus}
type kvBinding struct {
	kv *kv
	id string
}

// kvCall is the options of a call.
type kvCall struct {
	Op            string          `json:"op"`
	CacheTTL      *int64          `json:"cacheTtl"`
	Expiration    *int64          `json:"expiration"`
	ExpirationTTL *int64          `json:"expirationTtl"`
	Metadata      json.RawMessage `json:"metadata"`
	Prefix        string          `json:"prefix"`
	Limit         *int64          `json:"limit"`
	Cursor        string          `json:"cursor"`
}

const (
	maxKVBulkGet = 100 // keys
	minCacheTTL  = 30  // seconds; there is no cache here that it could be of, since every read is local
)

// kvMethods are what errors call the operations.
var kvMethods = map[string]string{"get": "GET", "getmany": "GET_BULK", "put": "PUT", "delete": "DELETE", "list": "GET"}

func (b *kvBinding) answer(ctx context.Context, _ *invocation, sub *isolate.Subrequest) (*isolate.Response, error) {
	defer sub.Request.Release()
	var call kvCall
	if err := readOptions("KV", sub, &call); err != nil {
		return nil, err
	}
	if kvMethods[call.Op] == "" {
		return nil, fmt.Errorf("KV: there is no operation %q", call.Op)
	}
	resp, err := b.do(ctx, &call, sub)
	if err != nil {
		return nil, fmt.Errorf("KV %s failed: %w", kvMethods[call.Op], kvReason(err))
	}
	return resp, nil
}

// kvReason begins with the status that a remote KV would have answered with.
func kvReason(err error) error {
	var refused *KVError
	switch {
	case errors.As(err, &refused):
		return fmt.Errorf("%d %s", refused.Status, refused.Reason)
	case errors.Is(err, ErrKVNamespaceNotFound):
		return errors.New("404 Not Found")
	case errors.Is(err, errBudget), errors.Is(err, ErrUnavailable):
		return errors.New("503 Service Unavailable")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return fmt.Errorf("500 %w", err)
}

func (b *kvBinding) do(ctx context.Context, call *kvCall, sub *isolate.Subrequest) (*isolate.Response, error) {
	if call.CacheTTL != nil && *call.CacheTTL < minCacheTTL {
		return nil, kvRefuse(400, "Invalid cache_ttl of %d. Cache TTL must be at least %d.", *call.CacheTTL, minCacheTTL)
	}
	switch call.Op {
	case "list":
		return b.list(call)
	case "getmany":
		return b.getMany(ctx, &sub.Request.Body)
	}
	if err := CheckKVKey(sub.Name); err != nil {
		return nil, err
	}
	switch call.Op {
	case "put":
		return b.put(ctx, sub.Name, call, &sub.Request.Body)
	case "delete":
		return answered(200, nil), b.kv.delete(ctx, b.id, []string{sub.Name})
	}
	return b.get(sub.Name)
}

func (b *kvBinding) get(key string) (*isolate.Response, error) {
	p, err := b.kv.get(b.id, key)
	if err != nil || p == nil {
		return answered(http.StatusNotFound, nil), err
	}
	var headers []header
	if p.Metadata != nil {
		headers = append(headers, header{"kv-metadata", asciiJSON(p.Metadata)})
	}
	resp := answered(200, nil, headers...)
	resp.Body, err = b.kv.body(p.Value)
	return resp, err
}

// body gives a value to a guest. A large one is counted until it has been read.
func (k *kv) body(value []byte) (isolate.Body, error) {
	if len(value) <= readPiece {
		return isolate.Body{Bytes: value}, nil
	}
	if err := k.values.take(int64(len(value))); err != nil {
		return isolate.Body{}, err
	}
	v := &valueReader{Reader: *bytes.NewReader(value), budget: &k.values, size: int64(len(value))}
	return isolate.Body{Stream: v, Length: v.size}, nil
}

// valueReader is a value on its way to a guest.
type valueReader struct {
	bytes.Reader
	budget *budget
	size   int64
	closed atomic.Bool
}

func (v *valueReader) Close() error {
	if !v.closed.Swap(true) {
		v.budget.give(v.size)
	}
	return nil
}

func (b *kvBinding) put(ctx context.Context, key string, call *kvCall, body *isolate.Body) (*isolate.Response, error) {
	expiration, err := KVExpiration(call.Expiration, call.ExpirationTTL, time.Now())
	if err != nil {
		return nil, err
	}
	if body.Size() > MaxKVValue {
		return nil, kvRefuse(413, "Value length of %d exceeds limit of %d.", body.Size(), MaxKVValue)
	}
	p := KVPair{Key: key, Expiration: expiration}
	if len(call.Metadata) > 0 && string(call.Metadata) != "null" {
		p.Metadata = call.Metadata
	}
	value, release, err := b.kv.readValue(ctx, body)
	defer release()
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, kvRefuse(413, "Value length exceeds limit of %d.", MaxKVValue)
	}
	p.Value = value
	return answered(200, nil), b.kv.put(ctx, b.id, []KVPair{p})
}

func (b *kvBinding) getMany(ctx context.Context, body *isolate.Body) (*isolate.Response, error) {
	text, release, err := b.kv.readValue(ctx, body)
	defer release()
	if err != nil {
		return nil, err
	}
	var keys []string
	if err := json.Unmarshal(text, &keys); err != nil {
		return nil, kvRefuse(400, "The keys are not an array of texts.")
	}
	if len(keys) > maxKVBulkGet {
		return nil, kvRefuse(400, "You can request a maximum of %d keys", maxKVBulkGet)
	}
	for _, key := range keys {
		if err := CheckKVKey(key); err != nil {
			return nil, err
		}
	}
	found, err := b.many(keys)
	if err != nil {
		return nil, err
	}
	resp := answered(200, nil)
	resp.Body, err = b.kv.body(found)
	return resp, err
}

// many encodes what is kept under the keys, in their order.
func (b *kvBinding) many(keys []string) ([]byte, error) {
	size := 0
	found := make([]any, len(keys))
	for i, key := range keys {
		p, err := b.kv.get(b.id, key)
		if err != nil {
			return nil, err
		}
		if p == nil {
			continue
		}
		if size += len(p.Value); size > MaxKVValue {
			return nil, kvRefuse(413, "Total size of request exceeds the limit of 25MB")
		}
		found[i] = [2]any{strings.ToValidUTF8(string(p.Value), "\ufffd"), json.RawMessage(p.Metadata)} // nil is null
	}
	return json.Marshal(found)
}

// kvKey is a key in a list.
type kvKey struct {
	Name       string          `json:"name"`
	Expiration int64           `json:"expiration,omitempty"`
	Metadata   json.RawMessage `json:"metadata,omitempty"`
}

type kvPage struct {
	Keys     []kvKey `json:"keys"`
	Complete bool    `json:"list_complete"`
	Cursor   string  `json:"cursor,omitempty"`
	Cache    any     `json:"cacheStatus"`
}

func (b *kvBinding) list(call *kvCall) (*isolate.Response, error) {
	limit, err := KVListLimit(call.Limit)
	if err != nil {
		return nil, err
	}
	if len(call.Prefix) > MaxKVKey {
		return nil, kvRefuse(414, "UTF-8 encoded length of %d exceeds key length limit of %d.", len(call.Prefix), MaxKVKey)
	}
	after, err := KVAfter(call.Cursor)
	if err != nil {
		return nil, err
	}
	pairs, more, err := b.kv.list(b.id, call.Prefix, after, limit)
	if err != nil {
		return nil, err
	}
	page := kvPage{Keys: make([]kvKey, len(pairs)), Complete: !more}
	for i, p := range pairs {
		page.Keys[i] = kvKey{p.Key, p.Expiration, p.Metadata}
	}
	if more {
		page.Cursor = KVCursor(pairs[len(pairs)-1].Key)
	}
	text, err := json.Marshal(page)
	if err != nil {
		return nil, err
	}
	resp := answered(200, nil)
	resp.Body, err = b.kv.body(text)
	return resp, err
}

func compactJSON(text []byte) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		panic("BUG: JSON that was valid does not compact: " + err.Error())
	}
	return b.Bytes()
}

// asciiJSON writes compact JSON so that it can stand in a header: what is not ASCII is inside of strings, and escaped.
func asciiJSON(text []byte) string {
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r < utf8.RuneSelf:
			b.WriteByte(text[0])
		case r <= math.MaxUint16:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		}
		text = text[n:]
	}
	return b.String()
}
