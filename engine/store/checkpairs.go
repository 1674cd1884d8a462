package store

import "fmt"

// pair looks at one pair. The table of KV namespaces comes later: namespaces that have pairs are noted until then.
func (c *checker) pair(key, value []byte) error {
	row, err := decodePair(key, value)
	if err != nil {
		return err
	}
	if row.in && !c.blobs[row.blob] {
		c.report(fmt.Sprintf("%s: %v: %s", keyName(key), ErrBlobNotFound, row.blob))
	}
	id, _, _ := splitPairKey(key)
	c.kv[id] = true
	return row.pair.validate()
}

func checkDue(key []byte) error {
	if _, _, ok := splitDueKey(key); !ok {
		return fmt.Errorf("%w: %s", ErrCorrupt, keyName(key))
	}
	return nil
}

// finishPairs reports pairs without a namespace.
func (c *checker) finishPairs() {
	for id := range c.kv {
		c.report(fmt.Sprintf("KV namespace %s is not there, but pairs of it are", id))
	}
}
