package wasm

import (
	"strings"
	"testing"
)

// BenchmarkRewrite takes 16 MiB of the smallest instructions, the most work a byte.
func BenchmarkRewrite(b *testing.B) {
	many := func(n int, item string) string { return strings.Repeat(item, n) }
	nops := "\x00" + many(1<<20-2, "\x01") + "\x0b"
	gets := "\x01\x0a\x7f" + many((1<<20-6)/3, "\x20\x00\x1a") + "\x0b"
	adds := "\x01\x0a\x7f\x20\x00" + many((1<<20-8)/3, "\x20\x00\x6a") + "\x1a\x0b"
	for name, body := range map[string]string{"nops": nops, "gets": gets, "adds": adds} {
		big := leb(len(body)) + body
		binary := []byte(mod(sec(1, 1, "\x60\x00\x00"), sec(3, 16, many(16, "\x00")), sec(10, 16, many(16, big))))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(binary)))
			for b.Loop() {
				if _, err := Rewrite(binary, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
