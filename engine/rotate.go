package engine

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"

	"switchyard/engine/store"
)

// RotateKey gives the data directory dir, over which no server runs, another master key: every
// secret of every version is sealed again. It may be interrupted and called again.
func RotateKey(ctx context.Context, dir string, logger *slog.Logger) error {
	return store.RotateKey(ctx, store.Options{Dir: dir, Logger: logger}, reseal)
}

func reseal(v *store.Version, again func(purpose string, sealed []byte) ([]byte, error)) (changed bool, err error) {
	var bindings []Binding
	if err := decode(v.Bindings, &bindings); err != nil {
		return false, err
	}
	bindings, err = eachSecret(bindings, func(b *Binding) error {
		sealed, err := base64.StdEncoding.DecodeString(b.Text)
		if err != nil {
			return err
		}
		sealed, err = again(secretPurpose(v.ScriptID, b.Name), sealed)
		b.Text, changed = base64.StdEncoding.EncodeToString(sealed), true
		return err
	})
	if err != nil || !changed {
		return false, err
	}
	v.Bindings, err = json.Marshal(bindings)
	return true, err
}
