package encoding

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

const lead = 0 // where in a state the first byte of a character is

// isLead says whether a character of two bytes can begin with b, in most encodings.
func isLead(b byte) bool { return b >= 0x81 && b <= 0xFE }

// double ends a character of two bytes: r is what the index has. A trail byte that is ASCII is not lost.
func (d *decoder) double(r rune, trail byte) {
	d.state = state{}
	if d.put(r) {
		return
	}
	d.fail()
	if trail < 0x80 {
		d.out = append(d.out, trail)
	}
}

// begin keeps the first byte of a character, or fails.
func (d *decoder) begin(b byte, ok bool) {
	if ok {
		d.state[lead] = b
	} else {
		d.fail()
	}
}

// big5Pairs are the pointers that stand for two code points.
var big5Pairs = map[int]string{1133: "\u00CA\u0304", 1135: "\u00CA\u030C", 1164: "\u00EA\u0304", 1166: "\u00EA\u030C"}

func big5Step(d *decoder, b byte) {
	first := d.state[lead]
	if first == 0 {
		d.begin(b, isLead(b))
		return
	}
	pointer := big5Pointer(first, b)
	if pair := big5Pairs[pointer]; pair != "" {
		d.out, d.state = append(d.out, pair...), state{}
		return
	}
	d.double(big5Index().at(pointer), b)
}

func big5Pointer(first, second byte) int {
	switch {
	case second >= 0x40 && second <= 0x7E:
		return (int(first)-0x81)*157 + int(second) - 0x40
	case second >= 0xA1 && second <= 0xFE:
		return (int(first)-0x81)*157 + int(second) - 0x62
	}
	return -1
}

func big5Bytes(pointer int) []byte {
	trail := byte(pointer % 157)
	return []byte{byte(pointer/157) + 0x81, trail + pick(trail < 0x3F, 0x40, 0x62)}
}

func pick(first bool, a, b byte) byte {
	if first {
		return a
	}
	return b
}

// gb18030Step decodes characters of one, two and four bytes; the state has up to three.
func gb18030Step(d *decoder, b byte) {
	switch s := d.state; {
	case s[2] != 0:
		gb18030Fourth(d, b)
	case s[1] != 0:
		if isLead(b) {
			d.state[2] = b
			return
		}
		d.state = state{}
		d.fail()
		gb18030Again(d, s[1], b)
	case s[0] == 0:
		gb18030First(d, b)
	case b >= 0x30 && b <= 0x39:
		d.state[1] = b
	default:
		d.double(gb18030Index().at(gb18030Pointer(s[0], b)), b)
	}
}

func gb18030First(d *decoder, b byte) {
	switch {
	case b < 0x80:
		d.out = append(d.out, b)
	case b == 0x80:
		d.put('€')
	default:
		d.begin(b, b != 0xFF)
	}
}

func gb18030Fourth(d *decoder, b byte) {
	s := d.state
	d.state = state{}
	if b < 0x30 || b > 0x39 {
		d.fail()
		gb18030Again(d, s[1], s[2], b)
		return
	}
	d.putOrFail(gb18030Ranges(s[0], s[1], s[2], b))
}

// gb18030Again decodes bytes that turned out not to belong to what came before.
func gb18030Again(d *decoder, bytes ...byte) {
	for _, b := range bytes {
		gb18030Step(d, b)
	}
}

// gb18030Ranges is the code point of a four-byte character. Two are not asked of the library: U+E7C7, where the
// standard's ranges have a hole, and U+FFFD, which would look like an error.
func gb18030Ranges(first, second, third, fourth byte) rune {
	switch pointer := ((int(first-0x81)*10+int(second-0x30))*126+int(third-0x81))*10 + int(fourth-0x30); pointer {
	case 7457:
		return 0xE7C7
	case 39417:
		return utf8.RuneError
	}
	return one(simplifiedchinese.GB18030.NewDecoder(), make([]byte, 16), []byte{first, second, third, fourth})
}

func gb18030Pointer(first, second byte) int {
	switch {
	case second >= 0x40 && second <= 0x7E:
		return (int(first)-0x81)*190 + int(second) - 0x40
	case second >= 0x80 && second <= 0xFE:
		return (int(first)-0x81)*190 + int(second) - 0x41
	}
	return -1
}

func gb18030Bytes(pointer int) []byte {
	trail := byte(pointer % 190)
	return []byte{byte(pointer/190) + 0x81, trail + pick(trail < 0x3F, 0x40, 0x41)}
}
