package isolate

import "hash/maphash"

// nameCache keeps the names that a guest dispatches to, so that a dispatcher does not allocate
// on every call for a Worker that it called a moment ago. What does not fit is allocated.
type nameCache [64]string

const maxCachedName = 64 // bytes

var nameSeed = maphash.MakeSeed()

// intern returns name as a string. The guest may change the bytes afterwards.
func (n *nameCache) intern(name []byte) string {
	if len(name) > maxCachedName {
		return string(name)
	}
	s := &n[maphash.Bytes(nameSeed, name)%uint64(len(n))]
	if *s != string(name) {
		*s = string(name)
	}
	return *s
}

func (is *Isolate) dispatchName(name []byte) string {
	if is.names == nil {
		is.names = new(nameCache)
	}
	return is.names.intern(name)
}
