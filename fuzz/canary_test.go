package fuzz

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// A canary is a text that says whose it is. It survives URLs, headers and JSON unchanged, and
// is short, so that a torn piece of a buffer full of one still holds a whole one:
//
//	_t12v7_   upload 7, of tenant 12, in its module's source
//	_t12s7_   the secret of that upload
//	_t12r345_ request 345, which was sent to tenant 12
//
// Tenants, uploads and requests are numbered through one run; a script that is deleted and made
// again is another tenant.
type canary struct {
	tenant int
	kind   byte
	number int
}

func (c canary) String() string { return fmt.Sprintf("_t%d%c%d_", c.tenant, c.kind, c.number) }

var canaryForm = regexp.MustCompile(`_t(\d{1,9})([vsr])(\d{1,9})_`)

// canariesIn finds every canary in text, each once.
func canariesIn(text string) []canary {
	var found []canary
	seen := map[string]bool{}
	for _, m := range canaryForm.FindAllStringSubmatch(text, -1) {
		if seen[m[0]] {
			continue
		}
		seen[m[0]] = true
		tenant, _ := strconv.Atoi(m[1])
		number, _ := strconv.Atoi(m[3])
		found = append(found, canary{tenant, m[2][0], number})
	}
	return found
}

// ledger knows what may be seen where.
type ledger struct {
	mu struct {
		sync.Mutex
		names map[int]string // tenant → namespace/script
		boxes map[int]bool   // tenants that stand for whoever the script is at the moment
		dead  map[int]string // request → why what it left behind must never be seen again
	}
}

func newLedger() *ledger {
	l := &ledger{}
	l.mu.names, l.mu.boxes, l.mu.dead = map[int]string{}, map[int]bool{}, map[int]string{}
	return l
}

func (l *ledger) name(tenant int, ref string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.names[tenant] = ref
}

// mailbox makes tenant one whose requests any incarnation of its script may see: who sends
// while scripts come and go cannot know which one answers.
func (l *ledger) mailbox(tenant int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.boxes[tenant] = true
}

// ref returns the script that tenant is.
func (l *ledger) ref(tenant int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.names[tenant]
}

// ownsLocked reports whether what carries c may be shown to tenant.
func (l *ledger) ownsLocked(c canary, tenant int) bool {
	return c.tenant == tenant || c.kind == 'r' && l.mu.boxes[c.tenant] && l.mu.names[c.tenant] == l.mu.names[tenant]
}

// bury says that request's isolate was killed: no later answer may know of it.
func (l *ledger) bury(request int, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.dead[request] = why
}

// check searches an answer of v to request for what must not be in it.
func (l *ledger) check(text string, v *version, request int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range canariesIn(text) {
		switch {
		case !l.ownsLocked(c, v.tenant):
			return fmt.Errorf("leak: tenant %d (%s) was shown %v of tenant %d (%s)", v.tenant, l.mu.names[v.tenant], c, c.tenant, l.mu.names[c.tenant])
		case c.kind != 'r' && c.number != v.serial:
			return fmt.Errorf("leak: upload %d of tenant %d shows %v of another upload", v.serial, v.tenant, c)
		case c.kind != 'r' || c.number == request:
		case v.fresh:
			return fmt.Errorf("leak: request %d to tenant %d, whose state is fresh for each request, was shown %v", request, v.tenant, c)
		case l.mu.dead[c.number] != "":
			return fmt.Errorf("leak: request %d was shown %v, whose isolate had been given up: %s", request, c, l.mu.dead[c.number])
		}
	}
	return nil
}

// checkLine searches a log line of the script ref.
func (l *ledger) checkLine(ref, text string) error {
	if !strings.Contains(text, "_t") {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range canariesIn(text) {
		if l.mu.names[c.tenant] != ref {
			return fmt.Errorf("leak: a log line of %s holds %v of %s: %q", ref, c, l.mu.names[c.tenant], text)
		}
	}
	return nil
}
