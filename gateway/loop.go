package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strconv"
	"strings"
)

// MaxHops is how many times a request may leave the platform and come back in.
const MaxHops = 16

// LoopHeader carries the hop count of a request that left the platform, so that it is known
// when the request comes back in: "3;" and a MAC in hex. Tenants can neither set nor see it.
const LoopHeader = "x-switchyard-hops"

// Loop makes and checks LoopHeader. A value that was seen outside and sent in again tells
// nothing but a count that somebody has had: an outsider can as well send none.
type Loop struct {
	key    [32]byte
	sealed [MaxHops + 1]string // by hops
}

// NewLoop returns a Loop with a key of its own, which is right while one process is the whole
// platform.
func NewLoop() *Loop {
	l := &Loop{}
	rand.Read(l.key[:])
	for hops := range l.sealed {
		n := strconv.Itoa(hops)
		l.sealed[hops] = n + ";" + l.mac(n)
	}
	return l
}

// Seal returns the header's value for a request on its hops-th way out, at most MaxHops.
func (l *Loop) Seal(hops int) string { return l.sealed[hops] }

// Open returns the count of a value that Seal has made, and 0 for everything else.
func (l *Loop) Open(value string) int {
	n, mac, ok := strings.Cut(value, ";")
	if !ok || subtle.ConstantTimeCompare([]byte(mac), []byte(l.mac(n))) != 1 {
		return 0
	}
	hops, err := strconv.Atoi(n)
	if err != nil {
		panic("BUG: a sealed hop count is no number")
	}
	return hops
}

func (l *Loop) mac(n string) string {
	h := hmac.New(sha256.New, l.key[:])
	h.Write([]byte("hops\x00" + n))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// HopsKey is the key under which the context of a call holds its hop count, an int. The
// ingress puts it there, the egress reads it.
type HopsKey struct{}

// Hops returns how often the request behind ctx has left the platform so far.
func Hops(ctx context.Context) int {
	hops, _ := ctx.Value(HopsKey{}).(int)
	return hops
}
