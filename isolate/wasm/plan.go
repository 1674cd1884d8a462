package wasm

// plan fixes the indices of what rewriting adds:
//
//	functions  guest's imports │ yield deep │ guest's functions, moved by 2 │ helpers
//	globals    guest's │ fuel depth pages dirty
//	types      guest's │ ()→()  (i32)→(i32)  (i32)→()  (i32 i32 i32)→()  ()→results…
type plan struct {
	m    *module
	uses *uses

	imports     uint32 // of the guest
	yield, deep uint32 // functions

	grow, fill, copy, charge, resume uint32 // helpers
	init                             uint32 // the first of one helper for each of uses.init
	helperTypes                      []uint32

	fuel, depth, pages, dirty uint32 // globals
	nGlobals                  int
	maxDepth                  int64
	memoryPages               uint32 // size of the rewritten memory

	types     [][]byte          // encoded types that are added
	resultsOf map[uint32]uint32 // type → index of the type ()→its results
}

func newPlan(m *module, u *uses) *plan {
	p := &plan{m: m, uses: u, maxDepth: m.o.depth(), imports: uint32(len(m.imports)), resultsOf: make(map[uint32]uint32)}
	p.yield, p.deep = p.imports, p.imports+1
	p.planTypes()
	p.planHelpers()
	p.planGlobals()
	p.planMemory()
	return p
}

// planMemory reserves no more than the guest can ever see. Where that is more than it begins
// with, an access behind the size it has grown to finds zeros instead of a trap.
func (p *plan) planMemory() {
	switch {
	case p.m.memory == nil:
	case p.uses.grow:
		p.memoryPages = p.m.memory.capped(p.m.o.MaxPages)
	default:
		p.memoryPages = p.m.memory.min
	}
}

// moved is the new index of a guest's function.
func (p *plan) moved(function uint32) uint32 {
	if function >= p.imports {
		return function + 2
	}
	return function
}

// Types that are always added, in this order.
const (
	typeVoid  = iota // ()→()
	typeOne          // (i32)→(i32)
	typeTake         // (i32)→()
	typeThree        // (i32 i32 i32)→()
)

func (p *plan) planTypes() {
	p.types = [][]byte{
		{typeFunction, 0, 0},
		{typeFunction, 1, typeI32, 1, typeI32},
		{typeFunction, 1, typeI32, 0},
		{typeFunction, 3, typeI32, typeI32, typeI32, 0},
	}
}

// typeIndex is the index of the n-th added type.
func (p *plan) typeIndex(n int) uint32 { return uint32(len(p.m.types) + n) }

// blockType is the encoded type of a block that leaves the results of a function of type typ.
func (p *plan) blockType(typ uint32) []byte {
	results := p.m.types[typ].results
	switch len(results) {
	case 0:
		return []byte{typeEmpty}
	case 1:
		return results
	}
	t, ok := p.resultsOf[typ]
	if !ok {
		t = p.typeIndex(len(p.types))
		p.resultsOf[typ] = t
		p.types = append(p.types, append(appendU32([]byte{typeFunction, 0}, uint32(len(results))), results...))
	}
	return appendSigned(nil, int64(t))
}

func (p *plan) planHelpers() {
	first := uint32(p.m.nFunctions()) + 2
	add := func(wanted bool, index *uint32, typ int) {
		if wanted {
			*index = first + uint32(len(p.helperTypes))
			p.helperTypes = append(p.helperTypes, p.typeIndex(typ))
		}
	}
	add(p.uses.grow, &p.grow, typeOne)
	add(p.uses.charge, &p.charge, typeOne)
	add(p.uses.deep, &p.resume, typeTake)
	add(p.uses.fill, &p.fill, typeThree)
	add(p.uses.copy, &p.copy, typeThree)
	for i := range p.uses.init {
		var index uint32
		add(true, &index, typeThree)
		if i == 0 {
			p.init = index
		}
	}
}

func (p *plan) planGlobals() {
	n := uint32(len(p.m.globals))
	p.fuel, p.depth, p.nGlobals = n, n+1, 2
	if p.m.memory != nil {
		p.pages = n + uint32(p.nGlobals)
		p.nGlobals++
	}
	if p.uses.dirty {
		p.dirty = n + uint32(p.nGlobals)
		p.nGlobals++
	}
}
