package wasm

// patch is code that is written anew out of an original: what needs no change is copied in runs.
type patch struct {
	assembler
	binary []byte // the original
	copied int    // it is copied up to here
}

// flush copies the original up to offset at.
func (p *patch) flush(at int) {
	p.raw(p.binary[p.copied:at]...)
	p.copied = at
}

// replace copies the original up to i and leaves i itself out.
func (p *patch) replace(i *instruction) {
	p.flush(i.at)
	p.copied = i.end
}
