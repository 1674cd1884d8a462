package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"switchyard/engine/store"
	"switchyard/isolate"
)

// This file is where the engine's nouns become the store's records and back. Words, not
// numbers, stand for modules' kinds and policies: numbers move between releases.

var kindWords = []string{
	isolate.ModuleES: "es", isolate.ModuleJS: "js", isolate.ModuleWasm: "wasm", isolate.ModuleText: "text",
	isolate.ModuleData: "data", isolate.ModuleJSON: "json", isolate.ModuleMap: "map",
}

var policyWords = []string{isolate.PolicyReuse: "reuse", isolate.PolicyRequest: "request"}

// limitsRecord is isolate.Limits on the disk.
type limitsRecord struct {
	CPU           time.Duration `json:"cpu_ns,omitempty"`
	Wall          time.Duration `json:"wall_ns,omitempty"`
	Subrequests   int           `json:"subrequests,omitempty"`
	Memory        int64         `json:"memory,omitempty"`
	RequestBytes  int64         `json:"request_bytes,omitempty"`
	ResponseBytes int64         `json:"response_bytes,omitempty"`
	LogBytes      int64         `json:"log_bytes,omitempty"`
	EgressBytes   int64         `json:"egress_bytes,omitempty"`
	Concurrent    int           `json:"concurrent,omitempty"`
	Rate          float64       `json:"rate,omitempty"`
}

const handlerFetch = "fetch"

// newVersionRecord makes the record of v, whose secrets are sealed.
func newVersionRecord(s *store.Script, v *Version, handlesFetch bool) (store.Version, error) {
	r := store.Version{
		ID: v.ID, ScriptID: s.ID, NamespaceID: s.NamespaceID, Number: v.Number, Created: v.Created,
		ETag: v.ETag, Main: v.Main, CompatibilityDate: v.CompatibilityDate, CompatibilityFlags: v.CompatibilityFlags,
		Policy: policyWords[v.Policy], Startup: v.Startup, Annotations: v.Annotations, Metadata: v.Metadata,
		Assets: v.Assets.record(),
	}
	if handlesFetch {
		r.Handlers = []string{handlerFetch}
	}
	for _, m := range v.Modules {
		h, err := store.ParseHash(m.Hash)
		if err != nil {
			return r, err
		}
		r.Modules = append(r.Modules, store.Module{Name: m.Name, Kind: kindWords[m.Kind], Hash: h, Size: m.Size})
	}
	var err error
	if r.Bindings, err = json.Marshal(v.Bindings); err != nil {
		return r, err
	}
	if r.Egress, err = encodeEgress(v.Egress); err != nil {
		return r, err
	}
	r.Limits, err = json.Marshal(limitsRecord(v.Limits))
	return r, err
}

// readVersion is the way back. Secrets are sealed in what it returns.
func readVersion(r *store.Version) (Version, error) {
	v := Version{
		ID: r.ID, Number: r.Number, Created: r.Created, ETag: r.ETag, Main: r.Main,
		CompatibilityDate: r.CompatibilityDate, CompatibilityFlags: r.CompatibilityFlags,
		Startup: r.Startup, Annotations: r.Annotations, Metadata: r.Metadata, Assets: readAssets(r.Assets),
	}
	damaged := func(field string, value any) (Version, error) {
		return v, fmt.Errorf("%w: version %s of script %s: %s %v", store.ErrCorrupt, r.ID, r.ScriptID, field, value)
	}
	policy := slices.Index(policyWords, r.Policy)
	if policy < 0 {
		return damaged("policy", r.Policy)
	}
	v.Policy = isolate.Policy(policy)
	for _, m := range r.Modules {
		kind := slices.Index(kindWords, m.Kind)
		if kind < 0 {
			return damaged("module kind", m.Kind)
		}
		v.Modules = append(v.Modules, ModuleInfo{Name: m.Name, Kind: isolate.ModuleKind(kind), Size: m.Size, Hash: m.Hash.String()})
	}
	if err := decode(r.Bindings, &v.Bindings); err != nil {
		return damaged("bindings", err)
	}
	var limits limitsRecord
	if err := decode(r.Limits, &limits); err != nil {
		return damaged("limits", err)
	}
	v.Limits = isolate.Limits(limits)
	egress, err := decodeEgress(r.Egress)
	if err != nil {
		return damaged("egress", err)
	}
	v.Egress = egress
	return v, nil
}

func decode(text json.RawMessage, into any) error {
	if len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, into)
}

func readDeployment(r *store.Deployment) Deployment {
	d := Deployment{ID: r.ID, Created: r.Created, Annotations: r.Annotations}
	for _, sh := range r.Shares {
		d.Shares = append(d.Shares, Share(sh))
	}
	return d
}

// newETag hashes main and modules, each part with its length, so that no two uploads that
// differ run together.
func newETag(main string, modules []isolate.Module) string {
	h := sha256.New()
	part := func(b []byte) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
	part([]byte(main))
	for _, m := range modules {
		part([]byte(m.Name))
		part([]byte(kindWords[m.Kind]))
		part(m.Source)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// withoutSecrets returns bindings as they may be shown.
func withoutSecrets(bindings []Binding) []Binding {
	shown := slices.Clone(bindings)
	for i := range shown {
		if shown[i].Type == SecretText {
			shown[i].Text = ""
		}
	}
	return shown
}
