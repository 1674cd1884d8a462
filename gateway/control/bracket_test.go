package control

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

func TestUnflatten(t *testing.T) {
	for _, c := range []struct {
		fields []field
		want   string // the document, or the error
	}{
		{[]field{{"[a]", "x"}}, `{"a":"x"}`},
		{[]field{{"[a][b]", "x"}, {"[a][c]", "y"}}, `{"a":{"b":"x","c":"y"}}`},
		{[]field{{"[t][]", "x"}, {"[t][]", "y"}}, `{"t":["x","y"]}`},
		{[]field{{"[b][][type]", "t"}, {"[b][][name]", "n"}, {"[b][][type]", "u"}}, `{"b":[{"name":"n","type":"t"},{"type":"u"}]}`},
		{[]field{{"[b][][p][][n]", "1"}, {"[b][][p][][n]", "2"}, {"[b][][x]", "y"}, {"[b][][x]", "z"}}, `{"b":[{"p":[{"n":"1"},{"n":"2"}],"x":"y"},{"x":"z"}]}`},
		{[]field{{"[l][cpu_ms]", "50"}, {"[logpush]", "true"}}, `{"l":{"cpu_ms":50},"logpush":true}`},
		{[]field{{"[l][cpu_ms]", "0x10"}}, `field "m[l][cpu_ms]": "0x10" is not a number`},
		{[]field{{"[l][cpu_ms]", "NaN"}}, `field "m[l][cpu_ms]": "NaN" is not a number`},
		{[]field{{"[logpush]", "yes"}}, `field "m[logpush]": "yes" is not true or false`},
		{[]field{{"[a]", "x"}, {"[a]", "y"}}, `field "m[a]": is given twice`},
		{[]field{{"[a]", "x"}, {"[a][b]", "y"}}, `field "m[a][b]": is a value in one field and holds others in another`},
		{[]field{{"[a][]", "x"}, {"[a][b]", "y"}}, `field "m[a][b]": is a value in one field and holds others in another`},
		{[]field{{"[a][b]", "x"}, {"[a][]", "y"}}, `field "m[a][]": is a value in one field and holds others in another`},
		{[]field{{"[a]b", "x"}}, `field "m[a]b": brackets do not match`},
		{[]field{{"[]", "x"}, {"[]", "y"}}, `["x","y"]`},
	} {
		got, err := unflatten("m", c.fields)
		if err != nil {
			got = []byte(err.Error())
		}
		if string(got) != c.want {
			t.Errorf("%v:\ngot  %s\nwant %s", c.fields, got, c.want)
		}
	}
}

// flatten writes a document as the TypeScript SDK does.
func flatten(path string, v any) (fields []field) {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			fields = append(fields, flatten(path+"["+k+"]", v[k])...)
		}
	case []any:
		for _, e := range v {
			fields = append(fields, flatten(path+"[]", e)...)
		}
	default:
		fields = append(fields, field{path, v.(string)})
	}
	return fields
}

// randomDocument makes arrays whose elements are alike, in which no order is ambiguous, and
// nothing empty, which flattening loses.
func randomDocument(rng *rand.Rand, depth int) any {
	switch n := rng.IntN(4); {
	case depth == 0 || n == 0:
		return fmt.Sprintf("v%d", rng.IntN(100))
	case n == 1:
		element := randomDocument(rng, 0)
		if rng.IntN(2) == 0 {
			element = map[string]any{"name": "x", "type": randomDocument(rng, 0)}
		}
		all := make([]any, 1+rng.IntN(3))
		for i := range all {
			all[i] = element
		}
		return all
	default:
		object := map[string]any{}
		for i := range 1 + rng.IntN(3) {
			object[fmt.Sprintf("k%d", i)] = randomDocument(rng, depth-1)
		}
		return object
	}
}

func TestUnflattenWhatWasFlattened(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		want := map[string]any{"root": randomDocument(rng, 4)}
		doc, err := unflatten("m", flatten("", want))
		if err != nil {
			t.Fatalf("seed %d: %v: %v", seed, want, err)
		}
		var got map[string]any
		if err := json.Unmarshal(doc, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d:\ngot  %s\nwant %v", seed, doc, want)
		}
	}
}
