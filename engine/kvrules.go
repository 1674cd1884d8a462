package engine

import (
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// KVError is a call of KV that was refused, with the status and the words that the public API has for it.
type KVError struct {
	Status int
	Reason string
}

func (e *KVError) Error() string { return e.Reason }

func kvRefuse(status int, format string, args ...any) error {
	return &KVError{status, fmt.Sprintf(format, args...)}
}

// CheckKVKey refuses what cannot be a key.
func CheckKVKey(key string) error {
	switch {
	case key == "":
		return kvRefuse(400, "Key name cannot be empty.")
	case key == "." || key == "..":
		return kvRefuse(400, "%q is not allowed as a key name.", key)
	case !utf8.ValidString(key):
		return kvRefuse(400, "Key name must be UTF-8.")
	case len(key) > MaxKVKey:
		return kvRefuse(414, "UTF-8 encoded length of %d exceeds key length limit of %d.", len(key), MaxKVKey)
	}
	return nil
}

// checkKVPair refuses what cannot be kept, and makes its metadata compact.
func checkKVPair(p *KVPair) error {
	if err := CheckKVKey(p.Key); err != nil {
		return err
	}
	if len(p.Value) > MaxKVValue {
		return kvRefuse(413, "Value length of %d exceeds limit of %d.", len(p.Value), MaxKVValue)
	}
	if p.Metadata == nil {
		return nil
	}
	if !json.Valid(p.Metadata) {
		return kvRefuse(400, "Metadata must be valid JSON.")
	}
	if p.Metadata = compactJSON(p.Metadata); len(p.Metadata) > MaxKVMetadata {
		return kvRefuse(413, "Metadata length of %d exceeds limit of %d.", len(p.Metadata), MaxKVMetadata)
	}
	return nil
}

// KVExpiration is when a pair that is put now expires: ttl seconds from now, which wins, or at expiration, in seconds
// since 1970. nil is not given; with neither the pair stays: 0.
func KVExpiration(expiration, ttl *int64, now time.Time) (int64, error) {
	switch seconds := now.Unix(); {
	case ttl != nil && *ttl <= 0:
		return 0, kvRefuse(400, "Invalid expiration_ttl of %d. Please specify integer greater than 0.", *ttl)
	case ttl != nil && *ttl < MinKVTTL:
		return 0, kvRefuse(400, "Invalid expiration_ttl of %d. Expiration TTL must be at least %d.", *ttl, MinKVTTL)
	case ttl != nil && *ttl > maxKVTime:
		return 0, kvRefuse(400, "Invalid expiration_ttl of %d. Expiration TTL must be at most %d.", *ttl, maxKVTime)
	case ttl != nil:
		return seconds + *ttl, nil
	case expiration == nil:
		return 0, nil
	case *expiration <= seconds:
		return 0, kvRefuse(400, "Invalid expiration of %d. Please specify integer greater than the current number of seconds since the UNIX epoch.", *expiration)
	case *expiration < seconds+MinKVTTL:
		return 0, kvRefuse(400, "Invalid expiration of %d. Expiration times must be at least %d seconds in the future.", *expiration, MinKVTTL)
	case *expiration > maxKVTime:
		return 0, kvRefuse(400, "Invalid expiration of %d. Expiration times must be at most %d.", *expiration, maxKVTime)
	}
	return *expiration, nil
}

const maxKVTime = 1 << 40 // seconds: room for sums

// KVListLimit is how many keys a page has that was asked for with limit; nil is not given.
func KVListLimit(limit *int64) (int, error) {
	switch {
	case limit == nil:
		return MaxKVList, nil
	case *limit < 1:
		return 0, kvRefuse(400, "Invalid key_count_limit of %d. Please specify an integer greater than 0.", *limit)
	case *limit > MaxKVList:
		return 0, kvRefuse(400, "Invalid key_count_limit of %d. Please specify an integer less than %d.", *limit, MaxKVList)
	}
	return int(*limit), nil
}

// KVCursor names the place after a key in a list, and KVAfter is the way back; "" is the beginning.
func KVCursor(key string) string { return cursorEncoding.EncodeToString([]byte(key)) }

func KVAfter(cursor string) (string, error) {
	key, err := cursorEncoding.DecodeString(cursor)
	if err != nil || len(key) > MaxKVKey {
		return "", kvRefuse(400, "Invalid cursor.")
	}
	return string(key), nil
}
