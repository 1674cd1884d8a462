package isolate

import (
	"runtime"
	"time"
)

// lane keeps calls that compute for long from taking every processor: Go's scheduler polls the
// network only when its run queues are empty, so two hogs that merely yield keep a quiet socket
// waiting for milliseconds. A call past laneAfter blocks at its next yield until it has one of
// the lane's tokens, of which there is one less than processors, and keeps it until it
// returns or waits.
type lane chan struct{}

// laneAfter is the time in one entry after which a call belongs to the slow lane.
const laneAfter = 2 * time.Millisecond

func newLane() lane { return make(lane, max(1, runtime.GOMAXPROCS(0)-1)) }

func (l lane) enter() { l <- struct{}{} }
func (l lane) leave() { <-l }
