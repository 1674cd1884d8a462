package engine

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"switchyard/engine/store"
)

// ScriptSettings is what belongs to a script and not to one of its versions: changing it makes
// no version and touches no traffic.
type ScriptSettings struct {
	Tags      []string
	Crons     []Cron
	Subdomain Subdomain
}

// Cron is one schedule of a script.
type Cron struct {
	Expr     string
	Created  time.Time
	Modified time.Time
}

// Subdomain is what a client asked of the addresses that a script has by its name. It is kept
// and shown; no address comes of it.
type Subdomain struct {
	Enabled  bool
	Previews bool
}

const maxCrons = 100 // of one script

func readScriptSettings(r *store.Script) ScriptSettings {
	s := ScriptSettings{Tags: slices.Clone(r.Tags)}
	for _, c := range r.Crons {
		s.Crons = append(s.Crons, Cron(c))
	}
	if r.Subdomain != nil {
		s.Subdomain = Subdomain(*r.Subdomain)
	}
	return s
}

// EditScript changes a script's settings. What edit sees is the caller's; its error is returned
// and changes nothing.
func (e *Engine) EditScript(ctx context.Context, ref Ref, edit func(*ScriptSettings) error) (Script, error) {
	n, err := e.catalog.namespace(ref.Namespace)
	if err != nil {
		return Script{}, err
	}
	unlock, err := e.lockScript(ctx, n, ref.Script)
	if err != nil {
		return Script{}, err
	}
	defer unlock()
	s, err := e.catalog.script(ref)
	if err != nil {
		return Script{}, err
	}
	record := s.state.Load().record
	before, settings := readScriptSettings(&record), readScriptSettings(&record)
	if err := edit(&settings); err != nil {
		return Script{}, err
	}
	if !reflect.DeepEqual(before, settings) {
		now := time.Now()
		if err := settings.write(&record, now); err != nil {
			return Script{}, err
		}
		if err := e.commit(ctx, n, store.PutScript(now, record)); err != nil {
			return Script{}, err
		}
	}
	return e.describe(s)
}

// CreateScript makes a script without a version: it receives traffic from its first deployment
// on, and is not found by requests until then.
func (e *Engine) CreateScript(ctx context.Context, ref Ref, settings ScriptSettings) (Script, error) {
	d, unlock, err := e.draft(ctx, ref, true)
	if err != nil {
		return Script{}, err
	}
	defer unlock()
	if d.script != nil {
		return Script{}, fmt.Errorf("%w: %q", ErrScriptExists, ref.String())
	}
	if err := settings.write(&d.record, d.record.Created); err != nil {
		return Script{}, err
	}
	if err := e.commit(ctx, d.namespace, store.PutScript(d.record.Created, d.record)); err != nil {
		return Script{}, err
	}
	return e.Script(ref)
}

// write checks the settings and puts them into a record. A schedule that was there keeps the
// time it was made.
func (s *ScriptSettings) write(r *store.Script, now time.Time) error {
	if err := checkTags(s.Tags); err != nil {
		return err
	}
	crons, err := cronRecords(s.Crons, r.Crons, now)
	if err != nil {
		return err
	}
	r.Tags, r.Crons, r.Modified = s.Tags, crons, now
	if s.Subdomain != (Subdomain{}) || r.Subdomain != nil {
		subdomain := store.Subdomain(s.Subdomain)
		r.Subdomain = &subdomain
	}
	return nil
}

func cronRecords(crons []Cron, old []store.Cron, now time.Time) ([]store.Cron, error) {
	if len(crons) > maxCrons {
		return nil, invalid("schedules", "there are %d schedules, at most %d are allowed", len(crons), maxCrons)
	}
	var records []store.Cron
	for i, c := range crons {
		if err := checkCron(c.Expr); err != nil {
			return nil, invalid(fmt.Sprintf("[%d].cron", i), "%q: %v", c.Expr, err)
		}
		is := func(other store.Cron) bool { return other.Expr == c.Expr }
		if slices.ContainsFunc(records, is) {
			return nil, invalid(fmt.Sprintf("[%d].cron", i), "%q is there twice", c.Expr)
		}
		created := now
		if at := slices.IndexFunc(old, is); at >= 0 {
			created = old[at].Created
		}
		records = append(records, store.Cron{Expr: c.Expr, Created: created, Modified: now})
	}
	return records, nil
}
