package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A record's value, of every table but blobs:
//
//	┌────────┬──────────────────────────┬────────────┐
//	│ format │ CRC-32C of key and body  │ JSON body  │
//	│   1    │ 4, little-endian         │            │
//	└────────┴──────────────────────────┴────────────┘
//
// JSON because control records are few and small, and a person with a hex dump at night can
// read them. The checksum covers the key too: a value that lands under another key is found.
//
// A field that this version does not know is refused, not dropped: records are rewritten whole,
// so reading one without a field would erase it at the next write. A release that adds a field
// raises schemaVersion, and Open then refuses older programs before they read anything.
const (
	recordFormat = 1
	recordHeader = 5
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(key, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, body)
}

func encode(key []byte, record any) ([]byte, error) {
	var buf bytes.Buffer
	buf.Write(make([]byte, recordHeader))
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(record); err != nil {
		return nil, invalid("%s: %v", keyName(key), err)
	}
	value := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	value[0] = recordFormat
	binary.LittleEndian.PutUint32(value[1:], checksum(key, value[recordHeader:]))
	return value, nil
}

// body checks a value's envelope and returns the JSON in it.
func body(key, value []byte) ([]byte, error) {
	switch {
	case len(value) < recordHeader:
		return nil, fmt.Errorf("%w: %s: %d bytes is too short for a record", ErrCorrupt, keyName(key), len(value))
	case value[0] > recordFormat:
		return nil, fmt.Errorf("%w: %s has record format %d, this version knows up to %d", ErrNewer, keyName(key), value[0], recordFormat)
	case value[0] != recordFormat:
		return nil, fmt.Errorf("%w: %s: record format %d", ErrCorrupt, keyName(key), value[0])
	}
	b := value[recordHeader:]
	if want, got := binary.LittleEndian.Uint32(value[1:]), checksum(key, b); want != got {
		return nil, fmt.Errorf("%w: %s: checksum is %08x, not %08x", ErrCorrupt, keyName(key), got, want)
	}
	return b, nil
}

func decode(key, value []byte, record any) error {
	b, err := body(key, value)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(record); err != nil {
		return fmt.Errorf("%w: %s: %v", ErrCorrupt, keyName(key), err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %s: more than one JSON value", ErrCorrupt, keyName(key))
	}
	return nil
}

// row is a state record as the database sees it.
type row interface {
	key() []byte
	validate() error
}

// row returns the one record that is set and the kind of change that puts it; nil when there
// is none, or more than one.
func (r *Record) row() (row, Kind) {
	var (
		found row
		kind  Kind
		n     int
	)
	set := func(present bool, r row, k Kind) {
		if present {
			found, kind = r, k
			n++
		}
	}
	set(r.Namespace != nil, r.Namespace, KindPutNamespace)
	set(r.Script != nil, r.Script, KindPutScript)
	set(r.Version != nil, r.Version, KindAddVersion)
	set(r.Deployment != nil, r.Deployment, KindAddDeployment)
	set(r.Route != nil, r.Route, KindPutRoute)
	set(r.Token != nil, r.Token, KindPutToken)
	set(r.Setting != nil, r.Setting, KindPutSetting)
	set(r.Plan != nil, r.Plan, KindPutPlan)
	set(r.KVNamespace != nil, r.KVNamespace, KindPutKV)
	if n != 1 {
		return nil, ""
	}
	return found, kind
}

// decodeRow decodes the state record under key.
func decodeRow(key, value []byte) (Record, error) {
	r, target := recordFor(key)
	if target == nil {
		return Record{}, fmt.Errorf("%w: %s", ErrCorrupt, keyName(key))
	}
	if err := decode(key, value, target); err != nil {
		return Record{}, err
	}
	if !bytes.Equal(target.key(), key) {
		return Record{}, fmt.Errorf("%w: %s holds %s", ErrCorrupt, keyName(key), keyName(target.key()))
	}
	return r, nil
}

// recordFor returns an empty record of the type that key's table holds, and its row.
func recordFor(key []byte) (Record, row) {
	if len(key) == 0 {
		return Record{}, nil
	}
	switch key[0] {
	case tableNamespace:
		n := new(Namespace)
		return Record{Namespace: n}, n
	case tableRoute:
		r := new(Route)
		return Record{Route: r}, r
	case tableToken:
		t := new(Token)
		return Record{Token: t}, t
	case tableSetting:
		s := new(Setting)
		return Record{Setting: s}, s
	case tablePlan:
		p := new(Plan)
		return Record{Plan: p}, p
	case tableKV:
		n := new(KVNamespace)
		return Record{KVNamespace: n}, n
	case tableScript:
		return scriptRecordFor(key)
	}
	return Record{}, nil
}

func scriptRecordFor(key []byte) (Record, row) {
	switch scriptRow(key) {
	case rowScript:
		s := new(Script)
		return Record{Script: s}, s
	case rowVersion:
		v := new(Version)
		return Record{Version: v}, v
	case rowDeployment:
		d := new(Deployment)
		return Record{Deployment: d}, d
	}
	return Record{}, nil
}

// scriptRow returns the row byte of a key of the script table; 0 when there is none.
func scriptRow(key []byte) byte {
	if n := len(scriptOf(key)); 0 < n && n < len(key) {
		return key[n]
	}
	return 0
}

// scriptOf returns the prefix that a key of the script table shares with all of its script's
// rows; "" when it has none.
func scriptOf(key []byte) string {
	n := 0
	for range 2 {
		i := bytes.IndexByte(key[n:], 0)
		if i < 0 {
			return ""
		}
		n += i + 1
	}
	return string(key[:n])
}
