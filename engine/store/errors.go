package store

import "errors"

// What a caller can act on. Each is wrapped with what it is about.
var (
	// ErrUnavailable: the store does not take changes now (no space on the disk, too many
	// waiting, closing), reads go on. Nothing of the refused change was kept.
	ErrUnavailable = errors.New("the store does not accept changes")
	// ErrInDoubt comes beside ErrUnavailable when the disk failed in the middle of a commit. If
	// it was full, the change takes effect when space returns (see Options.Late); else the next
	// Open tells.
	ErrInDoubt = errors.New("outcome unknown")
	// ErrLocked: another process, or another Store of this one, has the directory open.
	ErrLocked = errors.New("data directory is in use")
	// ErrNewer: the directory or a record in it was written by a later version of Switchyard.
	ErrNewer = errors.New("written by a newer version")
	// ErrCorrupt: bytes on the disk are not what was written. The message names the record or blob.
	ErrCorrupt = errors.New("corrupt")
	// ErrBlobNotFound: no blob with this hash.
	ErrBlobNotFound = errors.New("blob not found")
	// ErrBlobTooLarge: a blob beyond MaxBlob.
	ErrBlobTooLarge = errors.New("blob too large")
	// ErrSealed: a sealed text was made with another key or for another purpose, or was altered.
	ErrSealed = errors.New("sealed text does not open")
	// ErrInvalid: a change that lacks what its kind needs, names a missing blob, or does not
	// follow the log. A mistake of the caller; nothing was kept.
	ErrInvalid = errors.New("invalid change")
)
