//go:build wasip1

package worker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"time"

	"switchyard/isolate/abi"
)

// KVNamespace is a kv_namespace binding.
type KVNamespace struct{ name string }

// KV names a kv_namespace binding.
func KV(name string) KVNamespace { return KVNamespace{name} }

// KVOptions say more of what is put.
type KVOptions struct {
	Metadata any           // JSON of at most 1024 bytes; nil: none
	TTL      time.Duration // at least a minute, in whole seconds; 0: for ever
}

// kvCall is the options of a call, as the host reads them.
type kvCall struct {
	Op       string `json:"op"`
	Metadata any    `json:"metadata,omitempty"`
	TTL      int64  `json:"expirationTtl,omitempty"`
}

// Get returns what is kept under key, and its metadata where metadata is not nil; found is false where there is nothing.
func (k KVNamespace) Get(key string, metadata any) (value []byte, found bool, err error) {
	resp, err := k.call(key, kvCall{Op: "get"}, nil)
	if err != nil {
		return nil, false, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return nil, false, nil
	}
	if text := resp.Header.Get("kv-metadata"); text != "" && metadata != nil {
		if err := json.Unmarshal([]byte(text), metadata); err != nil {
			return nil, true, fmt.Errorf("metadata of %q: %w", key, err)
		}
	}
	value, err = io.ReadAll(resp.Body)
	return value, true, err
}

// Put keeps value, at most 25 MiB, under key. When it returns nil it is durable, and seen by whoever reads.
func (k KVNamespace) Put(key string, value []byte, options KVOptions) error {
	return k.done(key, kvCall{"put", options.Metadata, int64(options.TTL / time.Second)}, value)
}

// Delete removes key; that there is none is no error.
func (k KVNamespace) Delete(key string) error { return k.done(key, kvCall{Op: "delete"}, nil) }

func (k KVNamespace) done(key string, call kvCall, value []byte) error {
	resp, err := k.call(key, call, value)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func (k KVNamespace) call(key string, call kvCall, value []byte) (*http.Response, error) {
	options, err := json.Marshal(call)
	if err != nil {
		return nil, err
	}
	method, body := http.MethodGet, io.Reader(nil)
	if value != nil {
		method, body = http.MethodPut, bytes.NewReader(value)
	}
	r, err := http.NewRequest(method, "https://binding.invalid/", body)
	if err != nil {
		return nil, err
	}
	return sendNamed(k.name, key, options, r)
}

// sendNamed sends a request to a binding, with a name and options beside it.
func sendNamed(binding, name string, options []byte, r *http.Request) (*http.Response, error) {
	index, err := lookUp(binding)
	if err != nil {
		return nil, err
	}
	block := abi.FetchBlock{Binding: index, Redirect: abi.RedirectManual}
	block.Name, block.NameLen = address(atText(name)), size(name)
	block.Options, block.OptionsLen = address(at(options)), size(options)
	resp, err := send(r, block)
	runtime.KeepAlive(name)
	runtime.KeepAlive(options)
	return resp, err
}
