package main

import (
	"fmt"
	"strings"
	"sync"
)

// fleet are many distinct tenants of DESIGN's mix: 60 % say hello, 30 % have a bundle of about 11 KB, 10 %
// one of 110 KB.
type tenantKind struct {
	name      string
	functions int
}

var tenantKinds = []tenantKind{{"hello", 0}, {"11 KB", 100}, {"110 KB", 1000}}

// kindOf is the n-th tenant's.
func kindOf(n int) tenantKind {
	switch n % 10 {
	case 0:
		return tenantKinds[2]
	case 1, 2, 3:
		return tenantKinds[1]
	}
	return tenantKinds[0]
}

// tenantSource is the n-th tenant's Worker. No two are alike.
func tenantSource(n int, kind tenantKind) string {
	var b strings.Builder
	for i := range kind.functions {
		fmt.Fprintf(&b, "function part%d(a, b) { const list = [a, b, %d]; return list.map((x) => x * %d + a).join(\"-\") + \"tenant%d\"; }\n", i, i, i+n, n)
	}
	if kind.functions > 0 {
		fmt.Fprintf(&b, "const table = [")
		for i := range kind.functions {
			fmt.Fprintf(&b, "part%d,", i)
		}
		fmt.Fprintf(&b, "];\n")
	}
	fmt.Fprintf(&b, "export default { fetch() { return new Response(\"tenant %d\"); } };\n", n)
	return b.String()
}

func tenantName(n int) string { return fmt.Sprintf("t%d", n) }

// deployFleet deploys tenants from to below to, several at once.
func deployFleet(p *process, from, to int, kind func(int) tenantKind) error {
	const clients = 8
	numbers := make(chan int)
	var wg sync.WaitGroup
	var once sync.Once
	var failed error
	for range clients {
		wg.Go(func() {
			for n := range numbers {
				err := deployAll(p.control, []upload{{path: inBench + tenantName(n), main: "index.js", source: tenantSource(n, kind(n))}})
				if err != nil {
					once.Do(func() { failed = fmt.Errorf("tenant %d: %w", n, err) })
				}
			}
		})
	}
	for n := from; n < to; n++ {
		numbers <- n
	}
	close(numbers)
	wg.Wait()
	return failed
}

// sizes are the numbers of tenants up to the most: 100, 1,000 …
func sizes(most int) (all []int) {
	for n := 100; n <= most; n *= 10 {
		all = append(all, n)
	}
	return all
}

func allHello(int) tenantKind { return tenantKinds[0] }
