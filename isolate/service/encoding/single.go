package encoding

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// singleByte is the standard's single-byte decoder with an index. What the library leaves out of the C1 controls the
// standard maps to them.
func singleByte(table *charmap.Charmap) *encoding {
	var index [128]rune
	for i := range index {
		r := table.DecodeByte(byte(0x80 + i))
		switch {
		case r != utf8.RuneError:
			index[i] = r
		case i < 0x20:
			index[i] = rune(0x80 + i)
		}
	}
	return &encoding{ascii: true, step: func(d *decoder, b byte) { d.putOrFail(index[b-0x80]) }}
}

func userDefinedStep(d *decoder, b byte) { d.put(0xF780 + rune(b) - 0x80) }
