package store

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// Every key in the database. The first byte is the table; ids are text, closed by a zero byte,
// so that one id is never the prefix of another. Numbers are big-endian: byte order is their
// order.
//
//	table  rest of the key                                    value
//	'M'    name                                               meta: schema, log-first, key-check
//	'N'    namespace id                                       Namespace
//	'P'    name                                               Plan
//	'S'    namespace id 00 script id 00 'a'                   Script
//	'S'    namespace id 00 script id 00 'd' nanos(8) id       Deployment, oldest first
//	'S'    namespace id 00 script id 00 'v' number(4)         Version, oldest first
//	       └──────────── one namespace ───────────┘
//	       └────────────── one script ────────────────────┘
//	'R'    route id                                           Route
//	'T'    token id                                           Token
//	'V'    name                                               Setting
//	'C'    seq(8)                                             Change: the log
//	'K'    KV namespace id                                    KVNamespace
//	'D'    KV namespace id 00 key of any bytes                Pair: of a KV namespace
//	'E'    seconds(8) KV namespace id 00 key                  nothing: when a pair expires
//	'U'    span(1) seconds(8) namespace id 00 script id 00    Usage: a span of time, from then on
//	'X'    dataset 00 nanos(8)                                DataChunk: points of a dataset, oldest first
//	'B'    SHA-256(32)                                        blob: a module's source, a manifest or chunk of assets
//	'A'    namespace id 00 script name 00 client's key        Staged: an asset that no version has taken up yet
//	'W'    nanos(8) id                                        Audit: who changed what, oldest first
//
// What belongs to a script is one range, and what belongs to a namespace is one range of such
// ranges: dropping either is one range tombstone, and reading either is one seek. A plain
// Worker's namespace id is empty.
//
// 'N', 'P', 'S', 'R', 'T', 'V' and 'K' are the state: what replaying the log 'C' from its beginning gives.
const (
	tableMeta       = 'M'
	tableNamespace  = 'N'
	tablePlan       = 'P'
	tableScript     = 'S'
	tableRoute      = 'R'
	tableToken      = 'T'
	tableSetting    = 'V'
	tableChange     = 'C'
	tableUsage      = 'U'
	tableKV         = 'K'
	tablePair       = 'D'
	tableDue        = 'E'
	tableData       = 'X'
	tableBlob       = 'B'
	tableStaged     = 'A'
	tableAudit      = 'W'
	rowScript       = 'a'
	rowDeployment   = 'd'
	rowVersion      = 'v'
	maxNumber       = 1<<31 - 1
	maxID           = 64
	stateTables     = "NPSRTVK"          // in the order of Load
	allTables       = "ABCDEKMNPRSTUVWX" // in key order
	metaSchema      = "schema"
	metaLogFirst    = "log-first"
	metaKeyCheck    = "key-check"
	scriptKeyLength = 1 + 2*(maxID+1) + 1
)

func metaKey(name string) []byte      { return append([]byte{tableMeta}, name...) }
func namespaceKey(id string) []byte   { return append([]byte{tableNamespace}, id...) }
func planKey(name string) []byte      { return append([]byte{tablePlan}, name...) }
func kvNamespaceKey(id string) []byte { return append([]byte{tableKV}, id...) }
func routeKey(id string) []byte       { return append([]byte{tableRoute}, id...) }
func tokenKey(id string) []byte       { return append([]byte{tableToken}, id...) }
func settingKey(name string) []byte   { return append([]byte{tableSetting}, name...) }
func blobKey(h Hash) []byte           { return append([]byte{tableBlob}, h[:]...) }

// stagedPrefix begins the key of all that is staged for a script.
func stagedPrefix(namespaceID, script string) []byte {
	k := append([]byte{tableStaged}, namespaceID...)
	k = append(append(k, 0), script...)
	return append(k, 0)
}

func stagedKey(namespaceID, script, key string) []byte {
	return append(stagedPrefix(namespaceID, script), key...)
}

func auditKey(at time.Time, id string) []byte {
	k := binary.BigEndian.AppendUint64([]byte{tableAudit}, uint64(at.UnixNano()))
	return append(k, id...)
}

func changeKey(seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{tableChange}, seq)
}

// namespacePrefix begins the key of everything that belongs to the scripts of a namespace.
func namespacePrefix(namespaceID string) []byte {
	k := make([]byte, 0, scriptKeyLength+8+maxID)
	k = append(k, tableScript)
	k = append(k, namespaceID...)
	return append(k, 0)
}

// scriptPrefix begins the key of everything that belongs to a script.
func scriptPrefix(namespaceID, scriptID string) []byte {
	return append(append(namespacePrefix(namespaceID), scriptID...), 0)
}

func scriptKey(namespaceID, scriptID string) []byte {
	return append(scriptPrefix(namespaceID, scriptID), rowScript)
}

func versionKey(namespaceID, scriptID string, number int) []byte {
	k := append(scriptPrefix(namespaceID, scriptID), rowVersion)
	return binary.BigEndian.AppendUint32(k, uint32(number))
}

func deploymentKey(namespaceID, scriptID string, created time.Time, id string) []byte {
	k := append(scriptPrefix(namespaceID, scriptID), rowDeployment)
	k = binary.BigEndian.AppendUint64(k, uint64(created.UnixNano()))
	return append(k, id...)
}

// usagePrefix begins the keys of the usage of all scripts in the span that begins at start. span is the
// length: what is kept for a minute, an hour and a day never mixes.
func usagePrefix(span time.Duration, start time.Time) []byte {
	k := make([]byte, 0, 2+8+2*(maxID+1))
	k = append(k, tableUsage, spanBytes[span])
	return binary.BigEndian.AppendUint64(k, uint64(start.Unix()))
}

// twoTexts reads two texts that are each closed by a zero byte.
func twoTexts(b []byte) (texts [2]string, ok bool) {
	parts := strings.Split(string(b), "\x00")
	if len(parts) != 3 || parts[2] != "" {
		return texts, false
	}
	return [2]string{parts[0], parts[1]}, true
}

// rangeEnd is the first key after all that begin with prefix, whose last byte is never 0xff.
func rangeEnd(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	end[len(end)-1]++
	return end
}

// keyName is a key as people read it: in errors, and in what Check reports.
func keyName(k []byte) string {
	if len(k) == 0 {
		return "empty key"
	}
	rest := k[1:]
	switch k[0] {
	case tableMeta:
		return "meta " + printable(rest)
	case tableNamespace:
		return "namespace " + printable(rest)
	case tablePlan:
		return "plan " + printable(rest)
	case tableKV:
		return "KV namespace " + printable(rest)
	case tablePair:
		return "pair " + printable(rest)
	case tableDue:
		if len(rest) >= 8 {
			return fmt.Sprintf("expiration %d of pair %s", binary.BigEndian.Uint64(rest), printable(rest[8:]))
		}
	case tableData:
		return "data " + printable(rest)
	case tableUsage:
		return "usage " + printable(rest)
	case tableRoute:
		return "route " + printable(rest)
	case tableToken:
		return "token " + printable(rest)
	case tableSetting:
		return "setting " + printable(rest)
	case tableChange:
		if len(rest) == 8 {
			return fmt.Sprintf("change %d", binary.BigEndian.Uint64(rest))
		}
	case tableBlob:
		return fmt.Sprintf("blob %x", rest)
	case tableStaged:
		return "staged asset " + printable(rest)
	case tableAudit:
		if len(rest) > 8 {
			return "audit entry " + printable(rest[8:])
		}
	case tableScript:
		return scriptRowName(rest)
	}
	return fmt.Sprintf("unknown key %q", k)
}

func scriptRowName(rest []byte) string {
	parts := strings.SplitN(string(rest), "\x00", 3)
	if len(parts) < 3 || parts[2] == "" {
		return fmt.Sprintf("unknown key %q", rest)
	}
	script := parts[1]
	if parts[0] != "" {
		script = parts[0] + "/" + script
	}
	row, tail := parts[2][0], parts[2][1:]
	switch {
	case row == rowScript && tail == "":
		return "script " + script
	case row == rowVersion && len(tail) == 4:
		return fmt.Sprintf("script %s version %d", script, binary.BigEndian.Uint32([]byte(tail)))
	case row == rowDeployment && len(tail) > 8:
		return fmt.Sprintf("script %s deployment %s", script, printable([]byte(tail[8:])))
	}
	return fmt.Sprintf("unknown key %q", rest)
}

func printable(b []byte) string {
	q := fmt.Sprintf("%q", b)
	return q[1 : len(q)-1]
}

// field is an id in a record, and what it is called there.
type field struct{ name, value string }

// requireOwned is requireIDs for what belongs to a script; namespaceID may be empty.
func requireOwned(record, namespaceID string, ids ...field) error {
	if namespaceID != "" {
		ids = append(ids, field{"namespace", namespaceID})
	}
	return requireIDs(record, ids...)
}

// requireIDs refuses ids that could not stand in a key.
func requireIDs(record string, ids ...field) error {
	for _, f := range ids {
		if f.value == "" || len(f.value) > maxID {
			return invalid("%s: %s %q is not 1 to %d bytes long", record, f.name, f.value, maxID)
		}
		for i := range len(f.value) {
			if c := f.value[i]; c <= ' ' || c >= 0x7f {
				return invalid("%s: %s %q has byte %#x at offset %d", record, f.name, f.value, c, i)
			}
		}
	}
	return nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
