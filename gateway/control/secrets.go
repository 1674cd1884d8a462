package control

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"switchyard/engine"
)

// secretJSON never has the secret's text.
type secretJSON struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// secret is one as a client sends it.
type secret struct {
	Name string  `json:"name"`
	Type string  `json:"type"`
	Text *string `json:"text"`
}

func (s *secret) check(where string) error {
	switch {
	case s.Name == "":
		return refuse(where + "name: a secret needs one")
	case s.Type != "" && s.Type != engine.SecretText:
		return refuse(where + "type: secrets of type " + quote(s.Type) + " are not supported by this server, only secret_text")
	case s.Text == nil:
		return refuse(where + "text: a secret needs one")
	}
	return nil
}

// secretsOf returns the script's secrets by name.
func (s *server) secretsOf(ref engine.Ref) ([]secretJSON, error) {
	script, err := s.Platform.Script(ref)
	if err != nil {
		return nil, err
	}
	all := []secretJSON{}
	for _, b := range script.Version.Bindings {
		if b.Type == engine.SecretText {
			all = append(all, secretJSON{b.Name, b.Type})
		}
	}
	return all, nil
}

func (s *server) listSecrets(c *call) (any, error) {
	all, err := s.secretsOf(c.ref())
	if err != nil {
		return nil, err
	}
	return onePage(c, all), nil
}

func (s *server) getSecret(c *call) (any, error) {
	all, err := s.secretsOf(c.ref())
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(have secretJSON) bool { return have.Name == c.param("secret") })
	if i < 0 {
		return nil, noSecret(c.param("secret"))
	}
	return all[i], nil
}

func noSecret(name string) error {
	return fail(http.StatusNotFound, codeBindingNotFound, "secret "+quote(name)+" not found")
}

func (s *server) putSecret(c *call) (any, error) {
	var sent secret
	if err := c.readJSON(&sent); err != nil {
		return nil, err
	}
	if err := sent.check(""); err != nil {
		return nil, err
	}
	err := s.editSecrets(c, map[string]*secret{sent.Name: &sent})
	return secretJSON{sent.Name, engine.SecretText}, err
}

func (s *server) deleteSecret(c *call) (any, error) {
	name := c.param("secret")
	if _, err := s.getSecret(c); err != nil {
		return nil, err
	}
	return noResult, s.editSecrets(c, map[string]*secret{name: nil})
}

const maxSecrets = 1000 // of one bulk change

// patchSecrets is a JSON merge patch (RFC 7396) over the secrets: null deletes. It is one
// version, all or nothing.
func (s *server) patchSecrets(c *call) (any, error) {
	var body struct {
		Secrets map[string]*secret `json:"secrets"`
	}
	if err := c.readJSON(&body); err != nil {
		return nil, err
	}
	if body.Secrets == nil {
		return nil, refuse("secrets: an object of secrets by name is expected")
	}
	if len(body.Secrets) > maxSecrets {
		return nil, refuse(fmt.Sprintf("secrets: more than %d at once", maxSecrets))
	}
	result := map[string]secretJSON{}
	for name, sent := range body.Secrets {
		if sent == nil {
			continue
		}
		if sent.Name == "" {
			sent.Name = name
		}
		if sent.Name != name {
			return nil, refuse("secrets." + name + ".name: is " + quote(sent.Name))
		}
		if err := sent.check("secrets." + name + "."); err != nil {
			return nil, err
		}
		result[name] = secretJSON{name, engine.SecretText}
	}
	return result, s.editSecrets(c, body.Secrets)
}

// editSecrets makes one version with every change in it; nil deletes.
func (s *server) editSecrets(c *call, changes map[string]*secret) error {
	_, err := s.edit(c, func(u *engine.Upload) error {
		u.Annotations = map[string]string{"workers/triggered_by": "secret"}
		for _, name := range slices.Sorted(maps.Keys(changes)) {
			if err := changeSecret(u, name, changes[name]); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// changeSecret sets one secret; nil deletes it, if it is there: that is how a merge patch works.
func changeSecret(u *engine.Upload, name string, to *secret) error {
	i := findBinding(u.Bindings, name)
	isSecret := i >= 0 && u.Bindings[i].Type == engine.SecretText
	switch {
	case to == nil && isSecret:
		u.Bindings = slices.Delete(u.Bindings, i, i+1)
	case to == nil:
	case isSecret:
		u.Bindings[i].Text = *to.Text
	case i >= 0:
		return fail(http.StatusBadRequest, codeBindingName, "Binding name "+quote(name)+" already in use: it is a binding of type "+u.Bindings[i].Type)
	default:
		u.Bindings = append(u.Bindings, engine.Binding{Name: name, Type: engine.SecretText, Text: *to.Text})
	}
	return nil
}
