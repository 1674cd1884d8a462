//go:build race

package isolate

// raceEnabled says that allocations are the race detector's, not ours.
const raceEnabled = true
