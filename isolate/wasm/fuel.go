package wasm

// spend emits the charge of cost and leaves on the stack whether fuel ran out.
func (e *emitter) spend(cost int32) {
	fuel := e.plan.fuel
	e.index(opGlobalGet, fuel).i64(int64(cost)).op(opI64Sub).index(opGlobalSet, fuel)
	e.outOfFuel()
}

func (e *emitter) outOfFuel() {
	e.index(opGlobalGet, e.plan.fuel).i64(0).op(opI64LtS)
}

// check emits the charge of cost with its yield in place.
func (e *emitter) check(cost int32) {
	e.spend(cost)
	e.yieldIf()
}

// yieldIf emits a yield for when the stack says so.
func (e *emitter) yieldIf() {
	e.block(opIf, typeEmpty).index(opCall, e.plan.yield).op(opEnd)
}

// A loop's yield is outlined: a call inside a hot loop, though it is hardly ever made, costs
// the loop its registers (1.4 times the run time of a small one).
//
//	block t                        block t
//	  loop                           exit
//	    block                          cold
//	      loop t          loop t         the guest's loop
//	        spend                        out of fuel: br_if cold
//	        …               …
//	      end             end
//	      br 2                         done: to exit, with the results
//	    end
//	    call yield
//	    br 0                         enter the guest's loop again
//	  end
//	  unreachable
//	end
//
// A loop with parameters cannot be entered again: its check stays inside.
const outlineLabels = 3

func (e *emitter) loop(i *instruction) {
	cost := e.charges[0].cost
	e.charges = e.charges[1:]
	if i.block >= 0 && len(e.m.types[i.block].params) > 0 {
		e.push(false)
		e.flush(i.end)
		e.check(cost)
		return
	}
	e.push(true)
	e.replace(i)
	t := e.m.binary[i.at+1 : i.end]
	e.op(opBlock).raw(t...)
	e.block(opLoop, typeEmpty).block(opBlock, typeEmpty)
	e.op(opLoop).raw(t...)
	e.spend(cost)
	e.index(opBrIf, 1)
}

func (e *emitter) endOutline() {
	e.index(opBr, 2).op(opEnd)
	e.index(opCall, e.plan.yield).index(opBr, 0)
	e.op(opEnd, opUnreachable, opEnd)
}
