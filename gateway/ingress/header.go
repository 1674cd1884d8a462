package ingress

import (
	"bytes"
	"strings"

	"switchyard/gateway"
)

// fate is what becomes of a request header.
type fate int

const (
	forward    fate = iota
	drop            // hop by hop (RFC 9110 section 7.6.1), or only ours to say
	ifTrusted       // forwarded when the peer is a trusted proxy
	length          // content-length: framing, and forwarded
	coding          // transfer-encoding: framing
	host            // replaced by its canonical form
	connection      // close, and names of further hop-by-hop headers
	expect          // 100-continue is answered by the server; everything else is refused
	token           // the operator's
	hops            // how often the request has left the platform and come back
)

// special returns the fate of a header that is not simply forwarded, by its lower-case name.
// A switch finds it sooner than a map.
func special(name string) (f fate, ok bool) {
	switch name {
	case "host":
		return host, true
	case "content-length":
		return length, true
	case "transfer-encoding":
		return coding, true
	case "connection":
		return connection, true
	case "expect":
		return expect, true
	case "keep-alive", "proxy-connection", "proxy-authorization", "te", "trailer", "upgrade", "x-real-ip", "true-client-ip":
		return drop, true
	case "forwarded":
		return ifTrusted, true
	case "x-switchyard-token":
		return token, true
	case gateway.LoopHeader:
		return hops, true
	}
	return forward, false
}

// fateOf looks a header up. name is lower case.
func fateOf(name []byte) fate {
	switch name[0] {
	case 'c', 'e', 'f', 'h', 'k', 'p', 't', 'u', 'x':
	default:
		return forward // no name below begins otherwise
	}
	if f, ok := special(string(name)); ok {
		return f
	}
	switch {
	case hasPrefix(name, "x-forwarded-"):
		return ifTrusted
	case hasPrefix(name, "cf-"), hasPrefix(name, "x-switchyard-"), hasPrefix(name, "cloudflare-workers-version-"):
		return drop
	}
	return forward
}

func hasPrefix(name []byte, prefix string) bool {
	return len(name) >= len(prefix) && string(name[:len(prefix)]) == prefix
}

// responseDrop lists the response headers that a Worker cannot set: the server frames
// messages, and what begins with x-switchyard- is what we say ourselves.
func responseDrop(name []byte) bool {
	switch string(name) {
	case "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "te", "trailer",
		"transfer-encoding", "upgrade", "content-length", "date":
		return true
	}
	return hasPrefix(name, "x-switchyard-")
}

// nominated reads the tokens of a Connection header: whether one is close, and which headers
// it makes hop by hop besides those that are anyway.
func nominated(value string, names []string) (all []string, closes bool) {
	for part := range strings.SplitSeq(value, ",") {
		switch name := strings.ToLower(strings.Trim(part, " \t")); name {
		case "":
		case "close":
			closes = true
		default:
			if _, known := special(name); !known {
				names = append(names, name)
			}
		}
	}
	return names, closes
}

// tchar is RFC 9110's token byte, lower-cased; 0 for every other byte.
var tchar = func() (t [256]byte) {
	for c := byte('a'); c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = c, c
	}
	for _, c := range []byte("0123456789!#$%&'*+-.^_`|~") {
		t[c] = c
	}
	return t
}()

// lowerName appends a header name in lower case; false when it is no token.
func lowerName(dst, name []byte) ([]byte, bool) {
	for _, c := range name {
		lower := tchar[c]
		if lower == 0 {
			return dst, false
		}
		dst = append(dst, lower)
	}
	return dst, len(name) > 0
}

// validValue reports whether a header value may be on the wire: no controls but tab.
func validValue(value []byte) bool {
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// trimBlanks takes the optional white space around a value off.
func trimBlanks(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// nextLine splits the first header line off a raw header block. Every line ends with CRLF; a
// bare LF, which some servers take for one, is refused because others do not.
func nextLine(raw []byte) (line, rest []byte, ok bool) {
	end := bytes.IndexByte(raw, '\n')
	if end < 1 || raw[end-1] != '\r' {
		return nil, nil, false
	}
	return raw[:end-1], raw[end+1:], true
}
