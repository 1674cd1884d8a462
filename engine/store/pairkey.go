package store

import (
	"bytes"
	"encoding/binary"
)

// pairPrefix begins the keys of all pairs of a namespace. An id holds no zero byte, so that the prefix of one namespace
// begins no key of another, whatever bytes the pairs' own keys have: they come after it.
func pairPrefix(namespaceID string) []byte {
	k := make([]byte, 0, 1+len(namespaceID)+1+MaxPairKey)
	k = append(k, tablePair)
	k = append(k, namespaceID...)
	return append(k, 0)
}

func pairKey(namespaceID, name string) []byte { return append(pairPrefix(namespaceID), name...) }

// pairKeyEnd is the first key after those of the pairs whose own keys begin with prefix.
func pairKeyEnd(namespaceID, prefix string) []byte {
	all := pairPrefix(namespaceID)
	k := append(all, prefix...)
	for len(k) > len(all) && k[len(k)-1] == 0xff { // 0xff bytes at the end of a prefix have nothing after them
		k = k[:len(k)-1]
	}
	return rangeEnd(k)
}

// splitPairKey is the way back.
func splitPairKey(key []byte) (namespaceID, name string, ok bool) {
	if len(key) == 0 || key[0] != tablePair {
		return "", "", false
	}
	id, rest, ok := bytes.Cut(key[1:], []byte{0})
	return string(id), string(rest), ok && len(id) > 0 && len(rest) > 0
}

// dueKey notes when a pair expires: what is due is one range.
func dueKey(expiration int64, pair []byte) []byte {
	k := binary.BigEndian.AppendUint64([]byte{tableDue}, uint64(expiration))
	return append(k, pair[1:]...)
}

// splitDueKey returns when a pair expires, and its key.
func splitDueKey(key []byte) (expiration int64, pair []byte, ok bool) {
	const head = 1 + 8
	if len(key) < head || key[0] != tableDue {
		return 0, nil, false
	}
	pair = append([]byte{tablePair}, key[head:]...)
	_, _, ok = splitPairKey(pair)
	expiration = int64(binary.BigEndian.Uint64(key[1:]))
	return expiration, pair, ok && expiration > 0
}
