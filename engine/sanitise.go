package engine

import (
	"bytes"

	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// sanitise removes from a guest's request what a guest may not say, in one place for every way
// a request leaves a Worker:
//
//	hop-by-hop headers     framing and connection are the host's, from any Worker
//	x-switchyard-*         ours alone, from any Worker
//	cf-*                   what the ingress says about the client: plain Workers are the
//	                       operator's and may pass it on; a user Worker could only forge it
//
// The head may be the event's own, which the guest can still read: it is replaced, not edited.
func sanitise(req *isolate.Request, untrusted bool) {
	if clean(req.Head.Headers(), untrusted) {
		return
	}
	head := abi.AppendRequestHead(nil, req.Head.Method(), req.Head.URL())
	for rest := req.Head.Headers(); len(rest) > 0; {
		var name, value []byte
		name, value, rest = rest.Next()
		if !forbidden(name, untrusted) {
			head = abi.AppendHeader(head, 0, name, value)
		}
	}
	req.Head = head
}

func clean(headers abi.HeaderBlock, untrusted bool) bool {
	for len(headers) > 0 {
		name, _, rest := headers.Next()
		if forbidden(name, untrusted) {
			return false
		}
		headers = rest
	}
	return true
}

// forbidden takes a name in lower case.
func forbidden(name []byte, untrusted bool) bool {
	switch string(name) {
	case "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade":
		return true
	}
	return bytes.HasPrefix(name, internalPrefix) || untrusted && bytes.HasPrefix(name, edgePrefix)
}

var (
	internalPrefix = []byte("x-switchyard-")
	edgePrefix     = []byte("cf-")
)
