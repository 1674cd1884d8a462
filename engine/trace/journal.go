package trace

import (
	"container/list"
	"slices"
	"sync"
	"time"
)

// Journal keeps the latest items of every script in memory, the oldest going first: those of a
// script when it has too many, of all scripts when there are too many in all. A restart empties it.
type Journal struct {
	most, mostOfScript int // bytes

	mu struct {
		sync.Mutex
		entries  list.List // of *Entry, the oldest first
		scripts  map[Source]*shelf
		size     int
		sequence uint64
		removed  uint64
	}
}

// Source names a script; Namespace is "" for a plain Worker.
type Source struct{ Namespace, Script string }

// Entry is an item with its number in the journal, which rises.
type Entry struct {
	Number uint64
	Item   *Item

	source Source
	size   int
}

// shelf is what the journal has of one script.
type shelf struct {
	elements []*list.Element // the oldest first
	size     int
}

// NewJournal keeps at most so many bytes of all scripts together and of each.
func NewJournal(most, mostOfScript int) *Journal {
	j := &Journal{most: most, mostOfScript: mostOfScript}
	j.mu.scripts = map[Source]*shelf{}
	return j
}

// Add keeps item, which is never changed again.
func (j *Journal) Add(s Source, item *Item) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.sequence++
	e := &Entry{Number: j.mu.sequence, Item: item, source: s, size: item.Size()}
	own := j.mu.scripts[s]
	if own == nil {
		own = &shelf{}
		j.mu.scripts[s] = own
	}
	own.elements = append(own.elements, j.mu.entries.PushBack(e))
	own.size += e.size
	j.mu.size += e.size
	for own.size > j.mostOfScript && len(own.elements) > 1 {
		j.removeLocked(own.elements[0])
	}
	for j.mu.size > j.most && j.mu.entries.Len() > 1 {
		j.removeLocked(j.mu.entries.Front())
	}
}

// removeLocked takes an entry out, which is its script's oldest.
func (j *Journal) removeLocked(element *list.Element) {
	e := j.mu.entries.Remove(element).(*Entry)
	j.mu.size -= e.size
	j.mu.removed++
	shelf := j.mu.scripts[e.source]
	shelf.size -= e.size
	shelf.elements[0] = nil
	if shelf.elements = shelf.elements[1:]; len(shelf.elements) == 0 {
		delete(j.mu.scripts, e.source)
	}
}

// Query selects entries; what is empty or zero selects all.
type Query struct {
	Namespace *string // "": plain Workers
	Script    string
	Outcomes  []string
	Levels    []string  // an item that has a line of one of them; an exception is an "error"
	From, To  time.Time // when the call began: from From on, before To
	Text      string    // in a line or an exception
	Before    uint64    // entries with a smaller number
	Limit     int       // at least 1
}

// Find returns the newest entries that q selects, the newest first.
func (j *Journal) Find(q Query) []Entry {
	found := []Entry{}
	for _, e := range j.candidates(q) {
		if q.selects(e) {
			if found = append(found, *e); len(found) == q.Limit {
				break
			}
		}
	}
	return found
}

// candidates returns the entries that may be wanted, the newest first: items do not change, so
// that they are looked at outside the lock.
func (j *Journal) candidates(q Query) []*Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []*Entry
	if q.Namespace != nil && q.Script != "" {
		if shelf := j.mu.scripts[Source{*q.Namespace, q.Script}]; shelf != nil {
			for _, element := range slices.Backward(shelf.elements) {
				all = append(all, element.Value.(*Entry))
			}
		}
		return all
	}
	for element := j.mu.entries.Back(); element != nil; element = element.Prev() {
		all = append(all, element.Value.(*Entry))
	}
	return all
}

func (q *Query) selects(e *Entry) bool {
	at := time.UnixMilli(e.Item.EventTimestamp)
	return (q.Before == 0 || e.Number < q.Before) &&
		(q.Namespace == nil || *q.Namespace == e.source.Namespace) &&
		(q.Script == "" || q.Script == e.source.Script) &&
		(len(q.Outcomes) == 0 || slices.Contains(q.Outcomes, e.Item.Outcome)) &&
		(len(q.Levels) == 0 || e.Item.hasLevel(q.Levels)) &&
		(q.From.IsZero() || !at.Before(q.From)) && (q.To.IsZero() || at.Before(q.To)) &&
		(q.Text == "" || e.Item.says(q.Text))
}

func (i *Item) hasLevel(levels []string) bool {
	if len(i.Exceptions) > 0 && slices.Contains(levels, "error") {
		return true
	}
	return slices.ContainsFunc(i.Logs, func(l Log) bool { return slices.Contains(levels, l.Level) })
}

// Forget removes what there is of a script.
func (j *Journal) Forget(s Source) {
	j.mu.Lock()
	defer j.mu.Unlock()
	shelf := j.mu.scripts[s]
	for shelf != nil && len(shelf.elements) > 0 {
		j.removeLocked(shelf.elements[0])
	}
}

// Stats are the journal's entries now, their bytes, and how many had to go.
func (j *Journal) Stats() (entries, bytes int, removed uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.entries.Len(), j.mu.size, j.mu.removed
}

// Levels are the words for levels of lines.
var Levels = []string{"debug", "log", "info", "warn", "error"}
