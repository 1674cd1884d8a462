package isolate

import (
	"context"
	"testing"
)

// BenchmarkEnter is a call of an empty guest: as wazero makes it, as an isolate does with its
// meter, and two readings of the clock, which is most of what lies between them.
func BenchmarkEnter(b *testing.B) {
	p := poolOf(b, wasmRuntime(b), wasmSpec(aModule(withHandle), PolicyReuse))
	is, err := p.rt.newIsolate(p.module, p.snapshot, p.snapshot.entry)
	if err != nil {
		b.Fatal(err)
	}
	defer is.close()
	c := &Call{Context: context.Background()}
	var stack [1]uint64
	for _, s := range []struct {
		name string
		call func() error
	}{
		{"wazero", func() error { return is.entry.CallWithStack(is.ctx, stack[:]) }},
		{"isolate", func() error { _, err := is.enter(c, 1, 0, 0, 0); return err }},
		{"clock", func() error { monotonic(); monotonic(); return nil }},
	} {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := s.call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
