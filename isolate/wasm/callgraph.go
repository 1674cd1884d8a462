package wasm

// graph is the call graph. Its nodes are the defined functions, and one node for each type:
// an indirect call leads to the type's node, and that to every function of the type whose
// address is taken. Imported functions are not in it; they return.
type graph struct {
	m         *module
	functions []function
	indirect  []callees // by canonical type
}

// callees stands for all functions that an indirect call of one type may reach; what is said
// of it is the worst that is true of any of them.
type callees struct {
	edges    []uint32
	weight   int32
	chain    int64
	reach    int64
	progress int8
}

// Progress of a walk at a node.
const (
	unseen int8 = iota
	open        // on the path that the walk is on
	done
)

func newGraph(m *module, functions []function) *graph {
	g := &graph{m: m, functions: functions, indirect: make([]callees, len(m.types))}
	for i := range functions {
		if m.taken.has(uint32(i + len(m.imports))) {
			c := &g.indirect[m.canon[functions[i].typ]]
			c.edges = append(c.edges, uint32(i))
		}
	}
	return g
}

func (g *graph) edges(node uint32) []uint32 {
	if n := uint32(len(g.functions)); node >= n {
		return g.indirect[node-n].edges
	}
	return g.functions[node].edges
}

func (g *graph) progress(node uint32) *int8 {
	if n := uint32(len(g.functions)); node >= n {
		return &g.indirect[node-n].progress
	}
	return &g.functions[node].progress
}

// cut reports whether node is a function that breaks the cycles through it.
func (g *graph) cut(node uint32) bool {
	return node < uint32(len(g.functions)) && g.functions[node].cut
}

// cutCycles chooses the functions without which the graph has no cycles: a feedback vertex
// set. A depth-first walk meets every cycle as an edge back to an open node; of the two ends
// one is a function, which is cut. Nodes once cut are not walked into again, so a cycle
// that is broken already costs no second function.
func (g *graph) cutCycles() {
	g.walk(func(from, to uint32) {
		if g.cut(from) {
			return
		}
		if to >= uint32(len(g.functions)) { // edges into a type's node come from functions
			to = from
		}
		g.functions[to].cut = true
	}, func(uint32) {})
}

// inOrder calls leave for every node after all nodes that it has an edge to, cut ones
// excepted. cutCycles must have run.
func (g *graph) inOrder(leave func(node uint32)) {
	for i := range g.functions {
		g.functions[i].progress = unseen
	}
	for i := range g.indirect {
		g.indirect[i].progress = unseen
	}
	g.walk(func(uint32, uint32) { panic("BUG: a cycle of the call graph is not cut") }, leave)
}

type step struct {
	node uint32
	next int // edge to follow
}

// walk visits all nodes depth first, by a stack of its own: a guest decides how deep. It
// follows no edge into a cut node; back is called for edges to open nodes.
func (g *graph) walk(back func(from, to uint32), leave func(node uint32)) {
	var path []step
	for root := range uint32(len(g.functions) + len(g.indirect)) {
		if *g.progress(root) != unseen {
			continue
		}
		*g.progress(root) = open
		path = append(path[:0], step{node: root})
		for len(path) > 0 {
			path = g.advance(path, back, leave)
		}
	}
}

func (g *graph) advance(path []step, back func(from, to uint32), leave func(node uint32)) []step {
	s := &path[len(path)-1]
	edges := g.edges(s.node)
	if s.next == len(edges) {
		*g.progress(s.node) = done
		leave(s.node)
		return path[:len(path)-1]
	}
	to := edges[s.next]
	s.next++
	if g.cut(to) {
		return path
	}
	switch p := g.progress(to); *p {
	case open:
		back(s.node, to)
	case unseen:
		*p = open
		path = append(path, step{node: to})
	}
	return path
}
