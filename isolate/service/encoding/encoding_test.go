package encoding

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"switchyard/isolate/service"
)

type noMeter struct{}

func (noMeter) Pace()                {}
func (noMeter) Afford(time.Duration) {}

func ask(t *testing.T, method uint32, parts ...[]byte) []byte {
	t.Helper()
	a, err := Serve(&service.Request{Method: method, Parts: parts, Meter: noMeter{}})
	if err != nil {
		t.Fatal(err)
	}
	return a.Bytes
}

// decodeAll decodes chunks; nothing comes of what is fatal.
func decodeAll(t *testing.T, name string, flags byte, chunks ...[]byte) []byte {
	t.Helper()
	var text []byte
	s := make([]byte, stateBytes)
	for i, chunk := range append(chunks, nil) {
		now := flags
		if i < len(chunks) {
			now |= more
		}
		answer := ask(t, decode, []byte(name), s, []byte{now, 0, 0, 0}, chunk)
		if answer == nil {
			return nil
		}
		s, text = answer[:stateBytes], append(text, answer[stateBytes:]...)
	}
	return text
}

func TestDecode(t *testing.T) {
	for _, s := range []struct{ name, data, want string }{
		{"windows-1252", "caf\xe9 \x80\x81", "café €\u0081"},
		{"iso-8859-8-i", "\xe0\xfb", "א\uFFFD"},
		{"x-user-defined", "a\x80\xff", "a\uF780\uF7FF"},
		{"big5", "\xa4\xa4\x88\x62\x88\xa5", "中\u00CA\u0304\u00EA\u030C"},
		{"big5", "\x81\x40\x81\xa1x\xa4", "\uFFFD@\uFFFDx\uFFFD"},
		{"gb18030", "\x80\xd6\xd0\x81\x30\x81\x30\x81\x35\xf4\x37\xe3\x32\x9a\x35", "€中\u0080\uE7C7\U0010FFFF"},
		{"gb18030", "\x84\x31\xa4\x37\x84\x31\xa5\x30\xff", "\uFFFD\uFFFD\uFFFD"},
		{"gbk", "\xa6\xd9\xfe\xfe\x81\x30\x81a\x81\x30a", "\uFE10\uE4C5\uFFFD0乤\uFFFD0a"},
		{"euc-kr", "\xb0\xa1\xff\x81[\x81", "가\uFFFD\uFFFD[\uFFFD"},
		{"euc-jp", "\xc6\xfc\x8e\xb1\x8f\xb0\xa1\x8f\xb0a", "日ｱ丂\uFFFDa"},
		{"shift_jis", "\x93\xfa\xb1\x80\xf0\x40\xa0\x81", "日ｱ\u0080\uE000\uFFFD\uFFFD"},
		{"iso-2022-jp", "a\x1b$BF|\x1b(J\\~\x1b(I1\x1b(Bz", "a日¥‾ｱz"},
		{"iso-2022-jp", "\x1b(B\x1b(J\x1b$x\x1b$BF", "\uFFFD\uFFFD$x\uFFFD"},
		{"iso-2022-jp", "\x0e\x80\x1b$", "\uFFFD\uFFFD\uFFFD$"},
	} {
		if got := decodeAll(t, s.name, 0, []byte(s.data)); string(got) != s.want {
			t.Errorf("%s %q: %+q, want %+q", s.name, s.data, got, s.want)
		}
	}
}

func TestFatal(t *testing.T) {
	for name, data := range map[string]string{"euc-kr": "a\xff", "shift_jis": "a\x81", "iso-2022-jp": "\x1b(B\x1b(B", "windows-1253": "\xff"} {
		if got := decodeAll(t, name, fatal, []byte(data)); got != nil {
			t.Errorf("%s %q: %q", name, data, got)
		}
	}
	if got := decodeAll(t, "gb18030", fatal, []byte("\x84\x31\xa4\x37")); string(got) != "\uFFFD" {
		t.Errorf("U+FFFD itself: %q", got)
	}
}

// What comes out does not depend on where the chunks begin and end.
func TestChunks(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for name := range encodings {
		for range 200 {
			data := randomBytes(random)
			var chunks [][]byte
			for rest := data; len(rest) > 0; {
				n := 1 + random.IntN(min(4, len(rest)))
				chunks, rest = append(chunks, rest[:n]), rest[n:]
			}
			want, got := decodeAll(t, name, 0, data), decodeAll(t, name, 0, chunks...)
			if !bytes.Equal(want, got) {
				t.Fatalf("%s %q in chunks %q: %q, want %q", name, data, chunks, got, want)
			}
		}
	}
}

// randomBytes has what sequences begin and go on with, often.
func randomBytes(random *rand.Rand) []byte {
	const usual = "\x1b\x1b\x1b$(B(J(I0129aZ\x81\x84\x8e\x8f\x93\xa1\xb0\xfe\xff"
	data := make([]byte, random.IntN(60))
	for i := range data {
		data[i] = byte(random.IntN(256))
		if random.IntN(2) == 0 {
			data[i] = usual[random.IntN(len(usual))]
		}
	}
	return data
}

func TestLabels(t *testing.T) {
	for label, want := range map[string]string{
		"latin1": "windows-1252", " \tISO-8859-9\n": "windows-1254", "sjis": "shift_jis", "x-mac-ukrainian": "x-mac-cyrillic",
		"logical": "iso-8859-8-i", "gb2312": "gbk", "utf-8": "", "utf-7": "", "hz-gb-2312": "", "replacement": "", "\vlatin1": "",
		"\u00a0latin1": "", "\u212Aoi8-r": "", "": "", "latin 1": "",
	} {
		if got := string(ask(t, find, []byte(label))); got != want {
			t.Errorf("%q: %q, want %q", label, got, want)
		}
	}
}

// The standard's indexes, as the web-platform tests carry them.
func TestIndexes(t *testing.T) {
	const folder = "../../../data/wpt/encoding/legacy-mb-"
	for file, x := range map[string]func() index{
		"japanese/euc-jp/jis0208_index.js": jis0208Index, "japanese/euc-jp/jis0212_index.js": jis0212Index,
		"korean/euc-kr/euckr_index.js": eucKRIndex, "tchinese/big5/big5_index.js": big5Index,
	} {
		for pointer, want := range standardIndex(t, filepath.Join(folder+filepath.Dir(file), filepath.Base(file)), `= *(\[[^\]]*\])`) {
			eudc := file[:3] == "jap" && pointer >= eudcFirst && pointer <= eudcLast
			if got := x().at(pointer); got != want && !eudc && big5Pairs[pointer] == "" {
				t.Errorf("%s: pointer %d is %X, want %X", file, pointer, got, want)
			}
		}
	}
	for name := range singleBytes {
		for i, want := range standardIndex(t, "../../../data/wpt/encoding/single-byte-decoder.window.js", `(?i)"`+name+`":(\[[^\]]*\])`) {
			if want == 0 {
				want = 0xFFFD
			}
			if got := decodeAll(t, name, 0, []byte{byte(0x80 + i)}); string(got) != string(want) {
				t.Errorf("%s: %X is %+q, want %+q", name, 0x80+i, got, want)
			}
		}
	}
}

func standardIndex(t *testing.T, file, pattern string) (x index) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Skip("make wpt fetches the indexes: ", err)
	}
	found := regexp.MustCompile(pattern).FindSubmatch(text)
	if found == nil {
		return nil // two share one
	}
	if err := json.Unmarshal(found[1], &x); err != nil {
		t.Fatal(file, err)
	}
	return x
}

func BenchmarkDecode(b *testing.B) {
	for name, text := range map[string]string{"shift_jis": "\x93\xfa\x96\x7b\x8c\xea", "windows-1252": "caf\xe9", "gb18030": "\xd6\xd0\xce\xc4"} {
		data := bytes.Repeat([]byte(text), 10_000)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				encodings[name].decode(&service.Request{Parts: [][]byte{nil, nil, nil, data}, Meter: noMeter{}})
			}
		})
	}
}
