package encoding

import (
	"strings"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
)

// encoding is how an encoding is decoded.
type encoding struct {
	// step takes one byte.
	step func(d *decoder, b byte)
	// end is the end of the data; nil: an incomplete character is an error.
	ended func(d *decoder)
	// ascii says that bytes below 0x80 stand for themselves unless a character has begun.
	ascii bool
}

var encodings = map[string]*encoding{
	"big5":           {step: big5Step, ascii: true},
	"euc-jp":         {step: eucJPStep, ascii: true},
	"euc-kr":         {step: eucKRStep, ascii: true},
	"gb18030":        {step: gb18030Step, ascii: true},
	"gbk":            {step: gb18030Step, ascii: true},
	"iso-2022-jp":    {step: iso2022JPStep, ended: iso2022JPEnd},
	"shift_jis":      {step: shiftJISStep, ascii: true},
	"x-user-defined": {step: userDefinedStep, ascii: true},
}

// singleBytes are the standard's legacy single-byte encodings.
var singleBytes = map[string]*charmap.Charmap{
	"ibm866":         charmap.CodePage866,
	"iso-8859-2":     charmap.ISO8859_2,
	"iso-8859-3":     charmap.ISO8859_3,
	"iso-8859-4":     charmap.ISO8859_4,
	"iso-8859-5":     charmap.ISO8859_5,
	"iso-8859-6":     charmap.ISO8859_6,
	"iso-8859-7":     charmap.ISO8859_7,
	"iso-8859-8":     charmap.ISO8859_8,
	"iso-8859-8-i":   charmap.ISO8859_8,
	"iso-8859-10":    charmap.ISO8859_10,
	"iso-8859-13":    charmap.ISO8859_13,
	"iso-8859-14":    charmap.ISO8859_14,
	"iso-8859-15":    charmap.ISO8859_15,
	"iso-8859-16":    charmap.ISO8859_16,
	"koi8-r":         charmap.KOI8R,
	"koi8-u":         charmap.KOI8U,
	"macintosh":      charmap.Macintosh,
	"windows-874":    charmap.Windows874,
	"windows-1250":   charmap.Windows1250,
	"windows-1251":   charmap.Windows1251,
	"windows-1252":   charmap.Windows1252,
	"windows-1253":   charmap.Windows1253,
	"windows-1254":   charmap.Windows1254,
	"windows-1255":   charmap.Windows1255,
	"windows-1256":   charmap.Windows1256,
	"windows-1257":   charmap.Windows1257,
	"windows-1258":   charmap.Windows1258,
	"x-mac-cyrillic": charmap.MacintoshCyrillic,
}

func init() {
	for name, table := range singleBytes {
		encodings[name] = singleByte(table)
	}
}

// labelled is the standard's "get an encoding", without those that the shim has and without replacement,
// which TextDecoder refuses.
func labelled(label string) string {
	label = strings.Trim(label, " \t\n\f\r")
	if strings.IndexFunc(label, func(r rune) bool { return r <= ' ' || r >= 0x7f }) >= 0 {
		return "" // the look-up trims and folds more than ASCII
	}
	found, err := htmlindex.Get(label)
	if err != nil {
		return ""
	}
	name, err := htmlindex.Name(found)
	if err != nil || encodings[name] == nil {
		return ""
	}
	return name
}

// chunk decodes data, which may begin and end anywhere.
func (e *encoding) chunk(d *decoder, data []byte) {
	for i := 0; i < len(data); i++ {
		if e.ascii && d.state == (state{}) {
			n := asciiPrefix(data[i:])
			d.out = append(d.out, data[i:i+n]...)
			if i += n; i == len(data) {
				return
			}
		}
		e.step(d, data[i])
	}
}

func asciiPrefix(data []byte) int {
	for i, b := range data {
		if b >= 0x80 {
			return i
		}
	}
	return len(data)
}

// end ends the data. The next is new data.
func (e *encoding) end(d *decoder) {
	switch {
	case e.ended != nil:
		e.ended(d)
	case d.state != (state{}):
		d.fail()
	}
	d.state = state{}
}
