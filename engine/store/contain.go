package store

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// pebblePanic is how Pebble 2.1.7 takes a blob file whose head is damaged: it has no metadata
// to report such a file by, and panics in the reader. No lock is held then.
const pebblePanic = "unknown metadata type"

// contained says that this process has met it, and that Pebble's count of readers is off.
var contained atomic.Bool

// contain, deferred, makes an error of that panic; every other goes on.
func contain(key []byte, err *error) {
	r := recover()
	if r == nil {
		return
	}
	if text, ok := r.(string); !ok || !strings.HasPrefix(text, pebblePanic) {
		panic(r)
	}
	contained.Store(true)
	*err = fmt.Errorf("%w: %s: the file with its value is damaged at its head", ErrCorrupt, keyName(key))
}

// value reads the value that the iterator stands on; its errors name the record.
func value(it *pebble.Iterator) (v []byte, err error) {
	defer contain(it.Key(), &err)
	if v, err = it.ValueAndErr(); err != nil {
		err = readError(it.Key(), err)
	}
	return v, err
}

// get reads the value of key, which is valid until the closer is closed. A missing one is
// pebble.ErrNotFound; other errors name the record.
func get(db *pebble.DB, key []byte) (v []byte, c io.Closer, err error) {
	defer contain(key, &err)
	v, c, err = db.Get(key)
	if err != nil && err != pebble.ErrNotFound {
		err = readError(key, err)
	}
	return v, c, err
}

// closeDatabase closes db. Pebble still counts a reader that panicked and, when all is written
// and unlocked, panics once more over it: then there is nothing left to close.
func closeDatabase(db *pebble.DB) (err error) {
	defer func() {
		r := recover()
		if r != nil && !(contained.Load() && strings.Contains(fmt.Sprint(r), "outstanding references")) {
			panic(r)
		}
	}()
	return db.Close()
}
