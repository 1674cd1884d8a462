package engine

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Whatever the cache holds, it gives what parsing gives.
func TestOptionCacheEqualsParsing(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	cache := newOptionCache(viaOutbound)
	for range 20_000 {
		text := []byte(fmt.Sprintf(`{"limits":{"cpuMs":%d},"outbound":{"customer":%d}}`, r.IntN(40)-2, r.IntN(40)))
		want, wantErr := parseDispatchOptions(text, viaOutbound)
		got, err := cache.parse(text)
		for i := range text { // the guest's memory changes
			text[i] = 'x'
		}
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || err == nil && !reflect.DeepEqual(*got, want) {
			t.Fatalf("cache gives %+v, %v; parsing %+v, %v", got, err, want, wantErr)
		}
	}
}

func TestDispatchOptionsAreBounded(t *testing.T) {
	text := `{"outbound":{"customer":"` + strings.Repeat("x", maxDispatchOptions) + `"}}`
	if _, err := newOptionCache(viaOutbound).parse([]byte(text)); err == nil {
		t.Error("accepted")
	}
	if n := reflect.TypeFor[optionCache]().Size(); n > 4<<10 {
		t.Errorf("an empty cache has %d bytes", n)
	}
}

// FuzzDispatchOptions: what a guest passes never panics, and what is accepted is in range and
// gives the outbound Worker valid JSON of declared names only.
func FuzzDispatchOptions(f *testing.F) {
	for _, s := range []string{
		"", "{}", "null", "[]", `{"limits":{"cpuMs":1e-9}}`, `{"limits":{"cpuMs":1e999}}`, `{"limits":{"subRequests":1.5}}`,
		`{"outbound":{"customer":{"a":[1,"\u2028"]},"url":null}}`, `{"outbound":{"__proto__":1}}`, `{"limits":{"cpuMs":5},"limits":7}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := newOptionCache(viaOutbound).parse([]byte(text))
		if err != nil {
			return
		}
		if o.limits.CPU < 0 || o.limits.CPU > maxDispatchCPU || o.limits.Subrequests < 0 || o.limits.Subrequests > maxSubrequests {
			t.Errorf("%q gives %+v", text, o.limits)
		}
		if o.outbound.params == nil {
			return
		}
		var params map[string]any
		if err := json.Unmarshal(o.outbound.params, &params); err != nil || len(params) > 2 {
			t.Errorf("%q gives parameters %s: %v", text, o.outbound.params, err)
		}
	})
}
