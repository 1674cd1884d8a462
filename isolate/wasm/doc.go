// Package wasm makes a guest's WebAssembly binary fit to run among strangers: it decodes and
// bounds the binary, and rewrites it so that the guest can be metered, stopped, snapshotted
// and reset. It compiles and runs nothing.
//
//	binary ─► decode ─► bound ─► call graph ─► cost, depth ─► emit ─► Rewritten
//
// What a rewritten module does that the original did not:
//
//   - It counts fuel down and calls the host's yield when fuel is below zero: at loop headers,
//     at the entries of a feedback vertex set of the call graph, and wherever a path has grown
//     long since the last charge (cost.go, fuel.go).
//   - It counts the bytes of its frames and calls the host's deep when recursion goes past a
//     limit (depth.go).
//   - It fills and copies memory in pieces, each paid for (bulk.go).
//   - Its memory never moves and never grows for real; its size is a global (bulk.go).
//   - Whatever a reset has to restore is exported: the mutable globals. What cannot be
//     restored, such as tables, sets a dirty flag.
//   - Active data segments and the start function are handed to the host instead of running at
//     instantiation.
//
// The accepted language is WebAssembly core 2.0. Types of operands are not checked here: the
// engine validates the result. Everything the rewriting relies on is.
package wasm
