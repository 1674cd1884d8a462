// Package worker is what Workers written in Go are built with.
//
// A Worker is an http.Handler. Register it while the program initialises; main is never run:
//
//	package main
//
//	import (
//		"fmt"
//		"net/http"
//
//		worker "switchyard/isolate/guest/go"
//	)
//
//	func init() {
//		worker.HandleFunc(func(w http.ResponseWriter, r *http.Request) {
//			fmt.Fprintf(w, "Hello %s\n", r.URL.Path)
//		})
//	}
//
//	func main() {}
//
// Build it as a reactor:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags="-s -w" -o worker.wasm
//
// Package initialisation runs once, when the Worker is deployed, and must not do I/O: every
// isolate is a copy of the memory it leaves. Requests are handled one at a time in an isolate.
// Within one request goroutines run as usual, fetches in several of them are under way at the
// same time, and time.Sleep works; but the clock stands still while nothing waits. Reading a body and writing
// a long response stop all of them until there is something to read, or room. What a goroutine does after its
// request fails with ErrOver.
//
// Set Content-Type: to find it out costs more than everything else here does.
//
// Fetch sends requests. For http.Client and libraries built on it see Transport.
//
// Randomness: crypto/rand is always fresh. The generator behind the top-level functions of
// math/rand is seeded by the Go runtime when the Worker is deployed, so under the policy
// "request" it repeats itself in each request: use rand.New with a seed from crypto/rand.
package worker
