package isolate

import "slices"

// operationQueue holds operations in the order in which they completed.
type operationQueue struct {
	list  []*operation
	first int // those before it were popped
}

func (q *operationQueue) len() int { return len(q.list) - q.first }

func (q *operationQueue) push(op *operation) {
	if q.first > 0 && 2*q.first >= len(q.list) { // keeps pop at one step, and the list as short as twice what is in it
		q.list = append(q.list[:0], q.list[q.first:]...)
		q.first = 0
	}
	q.list = append(q.list, op)
}

func (q *operationQueue) pop() *operation {
	op := q.list[q.first]
	q.list[q.first] = nil
	q.first++
	return op
}

func (q *operationQueue) remove(op *operation) {
	at := q.first + slices.Index(q.list[q.first:], op)
	q.list = slices.Delete(q.list, at, at+1)
}
