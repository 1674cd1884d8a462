package control

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"switchyard/engine"
)

// fakeSecret is the token that the fake gives out for an id.
func fakeSecret(id string) string { return "secret of " + id }

func (f *fakePlatform) Authenticate(token string, _ netip.Addr) (engine.Token, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.tokens {
		if fakeSecret(t.ID) == token {
			return t, !t.Disabled
		}
	}
	return engine.Token{}, false
}

func (f *fakePlatform) Tokens() []engine.Token {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.tokens)
}

func (f *fakePlatform) Token(id string) (engine.Token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i, err := f.findToken(id)
	if err != nil {
		return engine.Token{}, err
	}
	return f.tokens[i], nil
}

func (f *fakePlatform) findToken(id string) (int, error) {
	i := slices.IndexFunc(f.tokens, func(t engine.Token) bool { return t.ID == id })
	if i < 0 {
		return 0, fmt.Errorf("%w: %q", engine.ErrTokenNotFound, id)
	}
	return i, nil
}

func (f *fakePlatform) CreateToken(_ context.Context, spec engine.TokenSpec) (engine.Token, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("CreateToken %q %s", spec.Name, spec.Scope); err != nil {
		return engine.Token{}, "", err
	}
	t := engine.Token{ID: f.id(), TokenSpec: spec, Created: f.now(), Modified: f.now()}
	f.tokens = append(f.tokens, t)
	return t, fakeSecret(t.ID), nil
}

func (f *fakePlatform) UpdateToken(_ context.Context, id string, spec engine.TokenSpec) (engine.Token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("UpdateToken %s %q %s", id, spec.Name, spec.Scope); err != nil {
		return engine.Token{}, err
	}
	i, err := f.findToken(id)
	if err != nil {
		return engine.Token{}, err
	}
	f.tokens[i].TokenSpec = spec
	return f.tokens[i], nil
}

func (f *fakePlatform) RollToken(_ context.Context, id string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("RollToken %s", id); err != nil {
		return "", err
	}
	_, err := f.findToken(id)
	return fakeSecret(id), err
}

func (f *fakePlatform) DeleteToken(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("DeleteToken %s", id); err != nil {
		return err
	}
	i, err := f.findToken(id)
	if err == nil {
		f.tokens = slices.Delete(f.tokens, i, i+1)
	}
	return err
}

func (f *fakePlatform) Audit(_ context.Context, a *engine.Act, status int, refusal string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.audits = append(f.audits, engine.AuditEntry{
		ID: fmt.Sprint("audit-", len(f.audits)), At: f.now(), Actor: a.Actor, ActorName: a.ActorName, Address: a.Address, Action: a.Action,
		Resource: a.Resource, Namespace: a.Namespace, Status: status, Error: refusal,
	})
	return nil
}

func (f *fakePlatform) AuditEntries(q engine.AuditQuery, do func(engine.AuditEntry) bool) error {
	f.mu.Lock()
	entries := slices.Clone(f.audits)
	f.mu.Unlock()
	if q.NewestFirst {
		slices.Reverse(entries)
	}
	for _, a := range entries {
		if a.At.Before(q.Since) || !q.Before.IsZero() && !a.At.Before(q.Before) {
			continue
		}
		if !do(a) {
			break
		}
	}
	return nil
}
