package wasm

// custom reads a custom section's name and, if it is "name", the functions' names, which make
// stack traces readable. Whatever else is in custom sections is dropped.
func (m *module) custom(r *reader) {
	if r.name("custom section name") != "name" || r.err != nil || m.names != nil {
		return
	}
	inner := *r // a fault in here is no fault of the module
	for inner.more() && inner.err == nil {
		id := inner.byte()
		sub := inner.span(int(inner.u32()))
		if id == 1 && inner.err == nil {
			m.names = functionNames(&sub, m.limits.Functions)
			return
		}
	}
}

// functionNames reads a name map, nil if it is malformed or has more names than there can be functions.
func functionNames(r *reader, limit int) []functionName {
	n := r.count("names", "Functions", limit)
	names := make([]functionName, 0, n)
	for last := int64(-1); len(names) < n; {
		f := functionName{r.u32(), r.name("function name")}
		if r.err != nil || int64(f.index) <= last {
			return nil
		}
		last = int64(f.index)
		names = append(names, f)
	}
	return names
}
