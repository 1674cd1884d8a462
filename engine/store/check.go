package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Check reads every record and every blob and calls report for each thing that is wrong, in a
// sentence that names it: damaged bytes, records that refer to what is not there, gaps in the
// log. Its error is one that kept it from looking.
func (s *Store) Check(report func(problem string)) error {
	db, release, err := s.reading()
	if err != nil {
		return err
	}
	defer release()
	c := &checker{store: s, report: report, namespaces: map[string]bool{}, kv: map[string]bool{}, blobs: map[Hash]bool{}, manifests: map[Hash]bool{}}
	for _, table := range []byte(allTables) {
		if err := c.table(db, table); err != nil {
			report(fmt.Sprintf("after %s: %v", c.where(table), err))
		}
	}
	c.finishScript()
	c.finishPairs()
	return c.strays(db)
}

// checker goes through the tables in key order, so that blobs and namespaces are known when
// the records that name them come.
type checker struct {
	store      *Store
	report     func(string)
	last       string // key that was read last in this table
	namespaces map[string]bool
	kv         map[string]bool // KV namespaces that have pairs and were not seen yet
	blobs      map[Hash]bool
	manifests  map[Hash]bool // looked into
	nextSeq    uint64        // that the log should have; 0: any
	script     scriptCheck
}

// scriptCheck is what was seen of the script whose rows are being read.
type scriptCheck struct {
	key      string // its prefix
	name     string
	present  bool
	versions map[string]bool
	named    map[string]string // version → deployment that names it
}

func (c *checker) where(table byte) string {
	if c.last == "" {
		return fmt.Sprintf("the start of table %q", table)
	}
	return keyName([]byte(c.last))
}

func (c *checker) table(db *pebble.DB, table byte) error {
	c.last = ""
	it, err := db.NewIter(tableBounds(table))
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		v, err := value(it)
		if err == nil {
			err = c.record(it.Key(), v)
		}
		if err != nil {
			c.report(err.Error())
		}
		c.last = string(it.Key())
	}
	return it.Error()
}

func (c *checker) record(key, value []byte) error {
	switch key[0] {
	case tableBlob:
		return c.blob(key, value)
	case tableChange:
		return c.change(key, value)
	case tableUsage:
		_, err := decodeUsage(key, value)
		return err
	case tableAudit:
		return checkAudit(key, value)
	case tableData:
		_, err := decodeData(key, value)
		return err
	case tablePair:
		return c.pair(key, value)
	case tableDue:
		return checkDue(key)
	case tableMeta:
		_, err := body(key, value)
		return err
	case tableStaged:
		_, err := decodeStaged(key, value)
		return err
	}
	r, err := decodeRow(key, value)
	if key[0] == tableScript {
		c.enterScript(key)
	}
	if err != nil {
		return err
	}
	return c.state(r)
}

func (c *checker) blob(key, value []byte) error {
	var h Hash
	copy(h[:], key[1:])
	if len(key) != 1+len(h) {
		return fmt.Errorf("%w: %s", ErrCorrupt, keyName(key))
	}
	c.blobs[h] = true // a damaged one is reported once, not for each version too
	_, err := c.store.blobs.decode(h, value)
	return err
}

func (c *checker) change(key, value []byte) error {
	change, err := decodeChange(key, value)
	if err != nil {
		c.nextSeq++
		return err
	}
	if c.nextSeq != 0 && change.Seq != c.nextSeq {
		c.report(fmt.Sprintf("change %d follows change %d", change.Seq, c.nextSeq-1))
	}
	c.nextSeq = change.Seq + 1
	_, err = change.writes()
	return err
}

func (c *checker) state(r Record) error {
	put, _ := r.row()
	switch {
	case r.Namespace != nil:
		c.namespaces[r.Namespace.ID] = true
	case r.KVNamespace != nil:
		delete(c.kv, r.KVNamespace.ID)
	case r.Script != nil:
		c.script.present = true
		if ns := r.Script.NamespaceID; ns != "" && !c.namespaces[ns] {
			c.report(fmt.Sprintf("%s is in a namespace that is not there", c.script.name))
		}
	case r.Version != nil:
		c.script.versions[r.Version.ID] = true
		c.modules(r.Version)
		c.assets(r.Version)
	case r.Deployment != nil:
		for _, share := range r.Deployment.Shares {
			c.script.named[share.Version] = r.Deployment.ID
		}
	}
	return put.validate()
}

func (c *checker) modules(v *Version) {
	for _, m := range v.Modules {
		if !c.blobs[m.Hash] {
			c.report(fmt.Sprintf("%s: module %q: %v: %s", keyName(v.key()), m.Name, ErrBlobNotFound, m.Hash))
		}
	}
}

// assets looks for the blobs of a manifest that is read for the first time.
func (c *checker) assets(v *Version) {
	if v.Assets == nil || c.manifests[v.Assets.Manifest] {
		return
	}
	c.manifests[v.Assets.Manifest] = true
	m, err := c.store.Manifest(v.Assets.Manifest)
	if err != nil {
		c.report(fmt.Sprintf("%s: assets: %v", keyName(v.key()), err))
		return
	}
	for i := range m.Len() {
		a := m.Asset(i)
		for n := range a.Chunks() {
			if h := a.Chunk(n); !c.blobs[h] {
				c.report(fmt.Sprintf("%s: asset %q: %v: %s", keyName(v.key()), a.Path, ErrBlobNotFound, h))
			}
		}
	}
}

// enterScript ends the script before when key belongs to another one.
func (c *checker) enterScript(key []byte) {
	prefix := scriptOf(key)
	if prefix == c.script.key {
		return
	}
	c.finishScript()
	c.script = scriptCheck{
		key:      prefix,
		name:     keyName(append([]byte(prefix), rowScript)),
		versions: map[string]bool{},
		named:    map[string]string{},
	}
}

func (c *checker) finishScript() {
	if c.script.key == "" {
		return
	}
	if !c.script.present {
		c.report(c.script.name + " is not there, but rows of it are")
	}
	for version, deployment := range c.script.named {
		if !c.script.versions[version] {
			c.report(fmt.Sprintf("%s: deployment %s names version %s, which is not there", c.script.name, deployment, version))
		}
	}
}

// strays reports keys outside every table.
func (c *checker) strays(db *pebble.DB) error {
	it, err := db.NewIter(nil)
	if err != nil {
		return err
	}
	defer it.Close()
	known := []byte(allTables)
	for ok := it.First(); ok; {
		key := it.Key()
		if len(known) > 0 && key[0] >= known[0] {
			if key[0] == known[0] {
				ok = it.SeekGE([]byte{known[0] + 1})
			}
			known = known[1:]
			continue
		}
		c.report(keyName(key))
		ok = it.Next()
	}
	return nil
}
