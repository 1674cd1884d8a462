package intl

import (
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"switchyard/isolate/service"
)

// piece is how many bytes are gone through before the caller's time is looked at: about 1 ms.
const piece = 8 << 10

// segment lists where each piece of the text ends.
func segment(granularity string, text []byte, m service.Meter) []byte {
	out := make([]byte, 0, len(text))
	end, paced, state := 0, len(text), -1
	for len(text) > 0 {
		var cut []byte
		switch granularity {
		case "word":
			cut, text, state = uniseg.FirstWord(text, state)
		case "sentence":
			cut, text, state = uniseg.FirstSentence(text, state)
		default:
			cut, text, _, state = uniseg.FirstGraphemeCluster(text, state)
		}
		end += units(cut)
		out = strconv.AppendInt(out, int64(end), 10)
		if granularity == "word" && isWord(cut) {
			out = append(out, 'w')
		}
		out = append(out, ' ')
		if paced-len(text) > piece {
			paced = len(text)
			m.Pace()
		}
	}
	return out[:max(len(out)-1, 0)]
}

// units is the length in UTF-16.
func units(text []byte) (n int) {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

func isWord(text []byte) bool {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return true
		}
		text = text[size:]
	}
	return false
}
