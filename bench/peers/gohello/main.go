//go:build wasip1

// The Go guest of wasm-go-hello, as a Worker of Switchyard.
package main

import (
	"io"
	"net/http"

	worker "switchyard/isolate/guest/go"
)

func main() {}

func init() {
	worker.Handle(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "Hello") }))
}
