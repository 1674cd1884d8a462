package encoding

// The state of ISO-2022-JP: where in the stream it is, the set that characters are of, a lead byte, and
// whether something came since the last escape sequence.
const (
	jisAt = iota
	jisSet
	jisLead
	jisOutput
)

// Values of jisAt and, but for the last three, of jisSet.
const (
	jisASCII = iota
	jisRoman
	jisKatakana
	jisDouble
	jisTrail
	jisEscapeStart
	jisEscape
)

const escape = 0x1B

func iso2022JPStep(d *decoder, b byte) {
	s := &d.state
	switch s[jisAt] {
	case jisEscapeStart:
		if b == '$' || b == '(' {
			s[jisLead], s[jisAt] = b, jisEscape
			return
		}
		iso2022JPNoEscape(d)
		iso2022JPStep(d, b)
	case jisEscape:
		iso2022JPEscape(d, b)
	case jisTrail:
		iso2022JPTrail(d, b)
	default:
		if b == escape {
			s[jisAt] = jisEscapeStart
			return
		}
		s[jisOutput] = 0
		iso2022JPCharacter(d, b)
	}
}

// iso2022JPNoEscape goes back to where the escape character came.
func iso2022JPNoEscape(d *decoder) {
	d.state[jisOutput] = 0
	d.state[jisAt] = d.state[jisSet]
	d.fail()
}

var iso2022JPSets = map[[2]byte]byte{
	{'(', 'B'}: jisASCII, {'(', 'J'}: jisRoman, {'(', 'I'}: jisKatakana, {'$', '@'}: jisDouble, {'$', 'B'}: jisDouble,
}

// iso2022JPEscape ends an escape sequence. Two of them with nothing between are an error.
func iso2022JPEscape(d *decoder, b byte) {
	s := &d.state
	first := s[jisLead]
	s[jisLead] = 0
	set, ok := iso2022JPSets[[2]byte{first, b}]
	if !ok {
		iso2022JPNoEscape(d)
		iso2022JPStep(d, first)
		iso2022JPStep(d, b)
		return
	}
	s[jisAt], s[jisSet] = set, set
	again := s[jisOutput] != 0
	s[jisOutput] = 1
	if again {
		d.fail()
	}
}

func iso2022JPTrail(d *decoder, b byte) {
	s := &d.state
	if b == escape {
		s[jisAt] = jisEscapeStart
		d.fail()
		return
	}
	s[jisAt] = jisDouble
	if b < 0x21 || b > 0x7E {
		d.fail()
		return
	}
	d.putOrFail(jis0208Index().at((int(s[jisLead])-0x21)*94 + int(b) - 0x21))
}

func iso2022JPCharacter(d *decoder, b byte) {
	s := &d.state
	switch set := s[jisAt]; {
	case set == jisDouble && b >= 0x21 && b <= 0x7E:
		s[jisLead], s[jisAt] = b, jisTrail
	case set == jisKatakana && b >= 0x21 && b <= 0x5F:
		d.put(0xFF61 - 0x21 + rune(b))
	case set >= jisKatakana || b >= 0x80 || b == 0x0E || b == 0x0F:
		d.fail()
	case set == jisRoman && b == 0x5C:
		d.put('¥')
	case set == jisRoman && b == 0x7E:
		d.put('‾')
	default:
		d.out = append(d.out, b)
	}
}

// iso2022JPEnd is the end of the data: a character or an escape sequence that has begun is an error, and what
// came of the sequence is text.
func iso2022JPEnd(d *decoder) {
	switch s := d.state; s[jisAt] {
	case jisTrail:
		d.fail()
	case jisEscapeStart:
		iso2022JPNoEscape(d)
	case jisEscape:
		iso2022JPNoEscape(d)
		iso2022JPStep(d, s[jisLead])
		if d.state[jisAt] == jisTrail {
			d.fail()
		}
	}
}
