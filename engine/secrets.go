package engine

import (
	"encoding/base64"
	"fmt"
	"slices"
)

// Secrets are sealed by the store's master key before a version is written, each for its
// script and name, and opened only to run the Worker or to make its next version.

func secretPurpose(scriptID, name string) string { return "secret/" + scriptID + "/" + name }

func (e *Engine) seal(scriptID string, bindings []Binding) ([]Binding, error) {
	return eachSecret(bindings, func(b *Binding) error {
		sealed, err := e.store.Seal(secretPurpose(scriptID, b.Name), []byte(b.Text))
		b.Text = base64.StdEncoding.EncodeToString(sealed)
		return err
	})
}

func (e *Engine) unseal(scriptID string, bindings []Binding) ([]Binding, error) {
	return eachSecret(bindings, func(b *Binding) error {
		sealed, err := base64.StdEncoding.DecodeString(b.Text)
		if err != nil {
			return fmt.Errorf("secret %q of script %s: %w", b.Name, scriptID, err)
		}
		plain, err := e.store.Unseal(secretPurpose(scriptID, b.Name), sealed)
		b.Text = string(plain)
		return err
	})
}

// eachSecret returns a copy of bindings in which change was made to every secret.
func eachSecret(bindings []Binding, change func(*Binding) error) ([]Binding, error) {
	bindings = slices.Clone(bindings)
	for i := range bindings {
		if bindings[i].Type != SecretText {
			continue
		}
		if err := change(&bindings[i]); err != nil {
			return nil, err
		}
	}
	return bindings, nil
}
