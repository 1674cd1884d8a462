package wasm

// Limits bound what a module may ask of the compiler and of the host. The compiler's time grows
// faster than linearly with several of them, and it cannot be interrupted: 2,000 loops in one
// function take it half a second and 19,000 minutes, 60,000 nested blocks 28 s, a br_table of
// 60,000 entries 4 s. What compilers emit stays far below: QuickJS has
// 53 loops in a function, and at most 234 places that charge fuel. Zero means the default.
type Limits struct {
	ModuleBytes   int // size of the binary. Default 64 MiB
	Nesting       int // open blocks, loops and ifs of one function. Default 1,000
	Functions     int // imported and defined functions. Default 200,000
	BodyBytes     int // size of one function body. Default 1 MiB
	Locals        int // parameters and locals of one function. Default 50,000
	Values        int // locals of all functions and what their calls, blocks and branches carry, in sum. Default 10,000,000
	BranchTargets int // br_table entries of one function, in sum. Default 32,768
	Loops         int // of one function. Default 2,000
	Charges       int // places of one function that charge fuel; in all ten times as many. Default 20,000
	Imports       int // Default 1,000
	Exports       int // Default 50,000
	Globals       int // Default 50,000
	Types         int // Default 50,000
	Params        int // parameters, and results, of one function type. Default 1,000
	Tables        int // Default 100
	TableSize     int // elements of all tables, which share as much again to grow into. Default 1,000,000
	Elements      int // element segments; the items of all together may be ten times as many. Default 200,000
	Data          int // data segments. Default 200,000
	Inits         int // data segments that memory.init names. Default 10,000
	Name          int // bytes of the name of an import or export. Default 100,000
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def(&l.ModuleBytes, 64<<20)
	def(&l.Nesting, 1000)
	def(&l.Functions, 200_000)
	def(&l.BodyBytes, 1<<20)
	def(&l.Locals, 50_000)
	def(&l.Values, 10_000_000)
	def(&l.BranchTargets, 32_768)
	def(&l.Loops, 2000)
	def(&l.Charges, 20_000)
	def(&l.Imports, 1000)
	def(&l.Exports, 50_000)
	def(&l.Globals, 50_000)
	def(&l.Types, 50_000)
	def(&l.Params, 1000)
	def(&l.Tables, 100)
	def(&l.TableSize, 1_000_000)
	def(&l.Elements, 200_000)
	def(&l.Data, 200_000)
	def(&l.Inits, 10_000)
	def(&l.Name, 100_000)
	return l
}
