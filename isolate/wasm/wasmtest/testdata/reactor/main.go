// Command reactor is a guest built by the Go compiler: a big module with deep call graphs,
// tens of thousands of data segments, and a scheduler that recurses through tables.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

func main() {}

// work returns a checksum of n rounds of encoding, hashing, sorting and formatting.
//
//go:wasmexport work
func work(n uint32) uint32 {
	sum := uint32(0)
	for i := range n {
		words := strings.Fields(strings.Repeat("the quick brown fox jumps over the lazy dog ", 20))
		sort.Strings(words)
		text, err := json.Marshal(map[string]any{"round": i, "words": words, "text": fmt.Sprintf("%08d %v", i, float64(i)/3)})
		if err != nil {
			panic(err)
		}
		var back map[string]any
		if err := json.Unmarshal(text, &back); err != nil {
			panic(err)
		}
		hash := sha256.Sum256(text)
		sum = sum*31 + uint32(hash[0]) + uint32(hash[31])<<8
	}
	return sum
}
