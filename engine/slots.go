package engine

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// metricSlots are the scripts that /metrics names, so that its labels stay bounded: the busiest
// ones. All others are one sum. A script that takes
// another's place begins at nothing, and what the other had is the others'.
type metricSlots struct {
	most  int
	all   sums // of all scripts that ever were
	taken []*metricSlot
}

type metricSlot struct {
	account *account
	sums    sums
	recent  uint64 // calls since the last ranking
	before  uint64
}

// offer gives a script with traffic a place while there is a free one.
func (m *metricSlots) offer(acc *account) {
	if acc.script != nil && acc.book.slot == nil && len(m.taken) < m.most {
		m.give(acc)
	}
}

// rank gives the place of the quietest to a script that had ten times as much since the last ranking.
func (m *metricSlots) rank(accounts []*account) {
	for _, s := range m.taken {
		s.recent, s.before = s.sums[countCalls]-s.before, s.sums[countCalls]
	}
	for _, acc := range accounts {
		if acc.script == nil || acc.book.slot != nil || acc.book.minute[countCalls] == 0 {
			continue
		}
		if q := m.quietest(); q != nil && acc.book.minute[countCalls] > 10*max(q.recent, q.account.book.minute[countCalls]) {
			m.take(q)
			m.give(acc)
		}
	}
}

func (m *metricSlots) quietest() *metricSlot {
	if len(m.taken) == 0 {
		return nil
	}
	return slices.MinFunc(m.taken, func(a, b *metricSlot) int { return cmp.Compare(a.recent, b.recent) })
}

func (m *metricSlots) give(acc *account) {
	acc.book.slot = &metricSlot{account: acc}
	m.taken = append(m.taken, acc.book.slot)
}

func (m *metricSlots) take(s *metricSlot) {
	s.account.book.slot = nil
	m.taken = slices.DeleteFunc(m.taken, func(o *metricSlot) bool { return o == s })
}

// write writes the named scripts and, as script="", all others.
func (m *metricSlots) write(w io.Writer) {
	if m.most == 0 {
		return
	}
	others := m.all
	for _, s := range m.taken {
		for i, n := range s.sums {
			others[i] -= n
		}
		writeScriptMetrics(w, s.account.book.space, s.account.book.script, &s.sums)
	}
	writeScriptMetrics(w, "", "", &others)
}

func writeScriptMetrics(w io.Writer, namespace, script string, s *sums) {
	label := fmt.Sprintf("{namespace=%q,script=%q}", namespace, script)
	fmt.Fprintf(w, "switchyard_script_requests_total%s %d\n", label, s[countRequests])
	fmt.Fprintf(w, "switchyard_script_calls_total%s %d\n", label, s[countCalls])
	fmt.Fprintf(w, "switchyard_script_cpu_seconds_total%s %g\n", label, float64(s.cpu())/1e9)
	fmt.Fprintf(w, "switchyard_script_errors_total%s %d\n", label, s.errors())
}

// cpu is the CPU time of all stages.
func (s *sums) cpu() (n uint64) {
	for i := range counter(stages) {
		n += s[countCPU+i]
	}
	return n
}

func (s *sums) errors() (n uint64) {
	for _, e := range s[countErrors:] {
		n += e
	}
	return n
}
