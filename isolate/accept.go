package isolate

import (
	"strconv"
	"strings"
)

// String is the coding's name in Content-Encoding.
func (c Coding) String() string {
	switch c {
	case CodingGzip:
		return "gzip"
	case CodingBrotli:
		return "br"
	}
	return "identity"
}

// AcceptedBy reads an Accept-Encoding header (RFC 9110, 12.5.3).
func (c Coding) AcceptedBy(header string) bool {
	any := false
	for member := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(member, ";")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case c.String():
			return wanted(weight)
		case "*":
			any = wanted(weight)
		}
	}
	return any
}

// wanted says that a weight is not zero. What is no weight counts as one.
func wanted(weight string) bool {
	name, value, _ := strings.Cut(strings.TrimSpace(weight), "=")
	if q, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil && strings.EqualFold(strings.TrimSpace(name), "q") {
		return q > 0
	}
	return true
}
