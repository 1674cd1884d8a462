//go:build wasip1

// The Go guest of wasm-go-hello, as the naive peers call it.
package main

import "unsafe"

var answer = []byte("Hello")

//go:wasmexport handle
func handle() uint64 {
	return uint64(uintptr(unsafe.Pointer(&answer[0])))<<32 | uint64(len(answer))
}

func main() {}
