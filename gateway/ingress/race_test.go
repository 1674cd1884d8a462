//go:build race

package ingress

// raceEnabled says that allocations and memory are the race detector's, not ours.
const raceEnabled = true
