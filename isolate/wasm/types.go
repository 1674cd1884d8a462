package wasm

// Value types.
const (
	typeI32       byte = 0x7f
	typeI64       byte = 0x7e
	typeF32       byte = 0x7d
	typeF64       byte = 0x7c
	typeV128      byte = 0x7b
	typeFuncref   byte = 0x70
	typeExternref byte = 0x6f

	typeFunction byte = 0x60 // form of a function type
	typeEmpty    byte = 0x40 // block type without parameters and results
)

// funcType is a function's parameters and results. Both alias the binary.
type funcType struct{ params, results []byte }

// key is equal for equal types: call_indirect compares structure, not index.
func (t funcType) key() string { return string(t.params) + ">" + string(t.results) }

// canonicalTypes maps each type to the first that equals it.
func canonicalTypes(types []funcType) []uint32 {
	canon := make([]uint32, len(types))
	first := make(map[string]uint32, len(types))
	for i, t := range types {
		key := t.key()
		if _, ok := first[key]; !ok {
			first[key] = uint32(i)
		}
		canon[i] = first[key]
	}
	return canon
}

func isReference(t byte) bool { return t == typeFuncref || t == typeExternref }

func isValue(t byte) bool { return t >= typeV128 && t <= typeI32 || isReference(t) }

// valueType reads one value type.
func (r *reader) valueType() byte {
	at := r.p
	t := r.byte()
	if r.err == nil && !isValue(t) {
		r.failType(at, t)
	}
	return t
}

func (r *reader) referenceType() byte {
	at := r.p
	t := r.byte()
	if r.err == nil && !isReference(t) {
		r.failType(at, t)
	}
	return t
}

func (r *reader) failType(at int, t byte) {
	if t >= 0x63 && t <= 0x74 && t != typeFuncref && t != typeExternref {
		r.fail(at, "type 0x%02x of the function references, GC, exceptions or stack switching proposal is not supported", t)
		return
	}
	r.fail(at, "0x%02x is not a value type that is allowed here", t)
}

// valueTypes reads a vector of value types, which aliases the binary.
func (r *reader) valueTypes(what string, limit int) []byte {
	n := r.count(what, "Params", limit)
	start := r.p
	for range n {
		r.valueType()
	}
	if r.err != nil {
		return nil
	}
	return r.b[start:r.p:r.p]
}

// functionType reads one entry of the type section.
func (r *reader) functionType(limit int) funcType {
	at := r.p
	switch form := r.byte(); form {
	case typeFunction:
	case 0x4e, 0x4f, 0x50, 0x5e, 0x5f:
		r.fail(at, "type form 0x%02x of the GC proposal is not supported", form)
	case 0x5d:
		r.fail(at, "type form 0x5d of the stack switching proposal is not supported")
	default:
		r.fail(at, "0x%02x is not a type form", form)
	}
	params := r.valueTypes("parameters", limit)
	return funcType{params, r.valueTypes("results", limit)}
}

// limits are a memory's or a table's minimum and, when hasMax, maximum.
type limits struct {
	min, max uint32
	hasMax   bool
}

// limits reads limits of a memory or table, whose name is what.
func (r *reader) limits(what string) (l limits) {
	at := r.p
	flags := r.byte()
	switch {
	case flags > 7:
		r.fail(at, "limits of a %s have unknown flags 0x%x", what, flags)
	case flags&4 != 0:
		r.fail(at, "a 64-bit %s (memory64) is not supported", what)
	case flags&2 != 0:
		r.fail(at, "a shared %s (threads) is not supported", what)
	}
	l.min = r.u32()
	if l.hasMax = flags&1 != 0; l.hasMax {
		l.max = r.u32()
	}
	if l.hasMax && l.max < l.min {
		r.fail(at, "minimum %d of a %s is above its maximum %d", l.min, what, l.max)
	}
	return l
}

// capped is the maximum, where ceiling stands for none and is never passed.
func (l limits) capped(ceiling uint32) uint32 {
	if l.hasMax {
		return min(l.max, ceiling)
	}
	return ceiling
}
