package encoding

import (
	"sync"
	"unicode/utf8"

	xencoding "golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// index is one of the standard's: pointer to code point, 0 where it has none. An index is read out of the
// library's decoder, a character at a time, when it is needed first (some 2 ms).
type index []rune

func (x index) at(pointer int) rune {
	if pointer < 0 || pointer >= len(x) {
		return 0
	}
	return x[pointer]
}

var (
	big5Index    = sync.OnceValue(func() index { return read(traditionalchinese.Big5, 126*157, big5Bytes) })
	eucKRIndex   = sync.OnceValue(func() index { return read(korean.EUCKR, 126*190, eucKRBytes) })
	jis0208Index = sync.OnceValue(func() index { return read(japanese.ShiftJIS, 120*94, shiftJISBytes) })
	jis0212Index = sync.OnceValue(func() index { return read(japanese.EUCJP, 94*94, jis0212Bytes) })
	gb18030Index = sync.OnceValue(readGB18030)
)

// read asks the decoder for the character of each pointer, whose bytes are at(pointer).
func read(from xencoding.Encoding, pointers int, at func(pointer int) []byte) index {
	x, d, dst := make(index, pointers), from.NewDecoder(), make([]byte, 16)
	for p := range x {
		x[p] = one(d, dst, at(p))
	}
	return x
}

// one is the one character that src is; 0: it is not.
func one(d *xencoding.Decoder, dst, src []byte) rune {
	n, _, err := d.Transform(dst, src, true)
	r, size := utf8.DecodeRune(dst[:n])
	if err != nil || size != n || r == utf8.RuneError {
		return 0
	}
	return r
}

// gb18030Updates are what the library does not have: the code points of the 2022 edition of GB 18030, and the last
// of the user-defined ones.
var gb18030Updates = map[[2]byte]rune{
	{0xA6, 0xD9}: 0xFE10, {0xA6, 0xDA}: 0xFE12, {0xA6, 0xDB}: 0xFE11, {0xA6, 0xDC}: 0xFE13, {0xA6, 0xDD}: 0xFE14,
	{0xA6, 0xDE}: 0xFE15, {0xA6, 0xDF}: 0xFE16, {0xA6, 0xEC}: 0xFE17, {0xA6, 0xED}: 0xFE18, {0xA6, 0xF3}: 0xFE19,
	{0xFE, 0x59}: 0x9FB4, {0xFE, 0x61}: 0x9FB5, {0xFE, 0x66}: 0x9FB6, {0xFE, 0x67}: 0x9FB7, {0xFE, 0x6D}: 0x9FB8,
	{0xFE, 0x7E}: 0x9FB9, {0xFE, 0x90}: 0x9FBA, {0xFE, 0xA0}: 0x9FBB, {0xFE, 0xFE}: 0xE4C5,
}

func readGB18030() index {
	x := read(simplifiedchinese.GB18030, 126*190, gb18030Bytes)
	for bytes, r := range gb18030Updates {
		x[gb18030Pointer(bytes[0], bytes[1])] = r
	}
	return x
}
