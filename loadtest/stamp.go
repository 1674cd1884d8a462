package loadtest

import (
	"bytes"
	"regexp"
	"strconv"
)

// seqDigits and versionDigits are fixed, so that a stamp's length is its tenant's alone.
const (
	seqDigits     = 12
	versionDigits = 6
)

// appendDigits appends n in decimal, with leading zeros up to width.
func appendDigits(b []byte, n uint64, width int) []byte {
	start := len(b)
	for range width {
		b = append(b, '0')
	}
	for i := start + width - 1; n > 0 && i >= start; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return b
}

// who is the part of a stamp that a Worker has in itself.
func who(script string, version uint32) string {
	return script + " " + string(appendDigits(nil, uint64(version), versionDigits)) + " "
}

// appendStamp appends who, for a class's tenant, and the sequence number.
func appendStamp(b []byte, class string, tenant int, version uint32, seq uint64) []byte {
	b = append(b, "lt-"...)
	b = append(b, class...)
	b = append(b, '-')
	b = strconv.AppendInt(b, int64(tenant), 10)
	b = append(b, ' ')
	b = appendDigits(b, uint64(version), versionDigits)
	b = append(b, ' ')
	return appendDigits(b, seq, seqDigits)
}

// expected is what the answer to one request must be.
type expected struct {
	kind           *kind
	class          string
	tenant         int
	seq            uint64
	oldest, newest uint32 // versions that may answer
}

// length is that of the whole body.
func (e *expected) length() int {
	stamp := len("lt--  ") + len(e.class) + len(strconv.Itoa(e.tenant)) + versionDigits + seqDigits
	return e.kind.repeat * (len(e.kind.before) + stamp + len(e.kind.after))
}

// check compares a whole body. want is room for the comparison.
func (e *expected) check(body, want []byte) (outcome, []byte) {
	for version := e.oldest; version <= e.newest; version++ {
		want = want[:0]
		want = append(want, e.kind.before...)
		want = appendStamp(want, e.class, e.tenant, version, e.seq)
		want = append(want, e.kind.after...)
		if repeats(body, want, e.kind.repeat) {
			return ok, want
		}
	}
	return e.diagnose(body), want
}

func repeats(body, part []byte, n int) bool {
	if len(body) != n*len(part) {
		return false
	}
	for ; len(body) > 0; body = body[len(part):] {
		if !bytes.Equal(body[:len(part)], part) {
			return false
		}
	}
	return true
}

var stamped = regexp.MustCompile(`lt-([a-z0-9-]{1,20})-([0-9]{1,7}) ([0-9]{6}) ([0-9]{12})`)

// diagnose says what is wrong with a body that is not the expected one: a leak has the stamp of
// another tenant or of another request.
func (e *expected) diagnose(body []byte) outcome {
	found := mismatch
	for _, m := range stamped.FindAllSubmatch(body, -1) {
		tenant, _ := strconv.Atoi(string(m[2])) // digits all
		version, _ := strconv.ParseUint(string(m[3]), 10, 32)
		seq, _ := strconv.ParseUint(string(m[4]), 10, 64)
		switch {
		case string(m[1]) != e.class || tenant != e.tenant || seq != e.seq:
			return leak
		case uint32(version) < e.oldest || uint32(version) > e.newest:
			found = stale
		}
	}
	return found
}
