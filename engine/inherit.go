package engine

import (
	"fmt"
	"slices"
)

// resolveBindings replaces what the upload takes over from earlier versions by the bindings
// themselves:
//
//	{"type":"inherit","name":N,"old_name":O,"version_id":V}   that binding, here called N
//	KeepBindings                                              all of these types that are not uploaded anew
//	secrets                                                   always kept: a client does not have them to send
//
// Secrets are not kept when edited is set: the bindings are then the whole list, and one that
// is missing was removed.
func (d *draft) resolveBindings(edited bool) error {
	resolved := make([]Binding, 0, len(d.upload.Bindings))
	for i, b := range d.upload.Bindings {
		if b.Type != Inherit {
			resolved = append(resolved, b)
			continue
		}
		old, found, err := d.inherited(&b)
		if err != nil {
			return err
		}
		if !found && d.upload.StrictInherit {
			return invalid(fmt.Sprintf("bindings[%d]", i), "there is no binding %q to inherit", orName(b.OldName, b.Name))
		}
		if found {
			old.Name = b.Name
			resolved = append(resolved, old)
		}
	}
	if !edited {
		resolved = d.keep(resolved)
	}
	d.upload.Bindings = resolved
	return nil
}

func orName(old, name string) string {
	if old != "" {
		return old
	}
	return name
}

// inherited finds what an inherit binding names.
func (d *draft) inherited(b *Binding) (old Binding, found bool, err error) {
	from := d.base.Bindings
	if b.VersionID != "" && b.VersionID != d.base.ID {
		if from, err = d.bindingsOf(b.VersionID); err != nil {
			return old, false, err
		}
	}
	name := orName(b.OldName, b.Name)
	i := slices.IndexFunc(from, func(x Binding) bool { return x.Name == name })
	if i < 0 {
		return old, false, nil
	}
	return from[i], true, nil
}

func (d *draft) keep(resolved []Binding) []Binding {
	for _, old := range d.base.Bindings {
		kept := old.Type == SecretText || slices.Contains(d.upload.KeepBindings, old.Type)
		given := slices.ContainsFunc(resolved, func(b Binding) bool { return b.Name == old.Name })
		if kept && !given {
			resolved = append(resolved, old)
		}
	}
	return resolved
}
