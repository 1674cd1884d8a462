// Package wasmtest runs what package wasm rewrites in the engine, beside the original.
package wasmtest
