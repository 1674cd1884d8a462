package encoding

// halfWidth is the first half-width katakana, less the byte of it.
const halfWidth = 0xFF61 - 0xA1

// EUC-JP's state is the lead byte, and whether 0x8F came before it.
const three = 1

func eucJPStep(d *decoder, b byte) {
	first := d.state[lead]
	switch {
	case first == 0:
		d.begin(b, b == 0x8E || b == 0x8F || inJIS(b))
	case first == 0x8E && b >= 0xA1 && b <= 0xDF:
		d.double(halfWidth+rune(b), b)
	case first == 0x8F && inJIS(b):
		d.state = state{lead: b, three: 1}
	default:
		d.double(eucJPCharacter(d.state, b), b)
	}
}

func inJIS(b byte) bool { return b >= 0xA1 && b <= 0xFE }

func eucJPCharacter(s state, b byte) rune {
	if !inJIS(s[lead]) || !inJIS(b) {
		return 0
	}
	pointer := (int(s[lead])-0xA1)*94 + int(b) - 0xA1
	if s[three] != 0 {
		return jis0212Index().at(pointer)
	}
	return jis0208Index().at(pointer)
}

func jis0212Bytes(pointer int) []byte {
	return []byte{0x8F, byte(pointer/94) + 0xA1, byte(pointer%94) + 0xA1}
}

func shiftJISStep(d *decoder, b byte) {
	first := d.state[lead]
	switch {
	case first != 0:
		d.double(shiftJISCharacter(first, b), b)
	case b <= 0x80:
		d.out = append(d.out, string(rune(b))...)
	case b >= 0xA1 && b <= 0xDF:
		d.put(halfWidth + rune(b))
	default:
		d.begin(b, b != 0xA0 && b <= 0xFC)
	}
}

// The user-defined characters of Shift_JIS are a range of pointers, not in the index.
const eudcFirst, eudcLast = 8836, 10715

func shiftJISCharacter(first, b byte) rune {
	pointer := shiftJISPointer(first, b)
	if pointer >= eudcFirst && pointer <= eudcLast {
		return rune(0xE000 - eudcFirst + pointer)
	}
	return jis0208Index().at(pointer)
}

func shiftJISPointer(first, second byte) int {
	row := int(first) - 0x81
	if first >= 0xA0 {
		row = int(first) - 0xC1
	}
	switch {
	case second >= 0x40 && second <= 0x7E:
		return row*188 + int(second) - 0x40
	case second >= 0x80 && second <= 0xFC:
		return row*188 + int(second) - 0x41
	}
	return -1
}

func shiftJISBytes(pointer int) []byte {
	row, trail := byte(pointer/188), byte(pointer%188)
	return []byte{row + pick(row < 0x1F, 0x81, 0xC1), trail + pick(trail < 0x3F, 0x40, 0x41)}
}
