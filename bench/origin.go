package main

import "sync"

// startOrigin starts the server that Workers fetch from, once: plain fasthttp in a process of its own,
// whose CPU time is nobody's. It ends with this program.
var startOrigin = sync.OnceValues(func() (*process, error) { return startFasthttp("") })
