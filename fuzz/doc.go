// Package fuzz holds the properties of the whole platform: whatever is deployed, asked,
// cancelled, killed and restarted, in whatever order, what can be seen of it equals a model
// made of maps, and nothing of one tenant is ever seen by another.
//
// A run is one seed. It draws operations, makes each against the platform and against the
// model, and compares:
//
//	         ┌──► platform: ingress ─► engine ─► isolates, store ──┐
//	seed ─► operation                                              ├─► equal? else a finding
//	         └──► model: maps ─────────────────────────────────────┘
//
// Every secret, module state, request and log line carries canaries, so
// that a leak names who lost what to whom. That the runs can fail is tested too: the same run
// over a platform with a deliberate fault must end in a finding.
//
// What clients of a server process see while it is killed again and again is checked for linearizability, with
// porcupine (history_test.go).
//
// The rooms' own models and fuzz targets are in the rooms; here is what crosses them. There is
// nothing to import: the package is its tests.
//
//	make fuzz                                         ten minutes, every fuzz target of the tree among them
//	go test ./fuzz                                    about 20 s, one new seed among them, printed
//	SWITCHYARD_FUZZ_SEED=7 go test ./fuzz             that seed only
//	SWITCHYARD_FUZZ_TIME=10m go test -timeout 0 ./fuzz   longer runs
package fuzz
