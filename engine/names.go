package engine

import "strings"

const (
	maxName        = 63
	maxBindingName = 128
	maxModuleName  = 512
)

// checkName accepts the names of namespaces and scripts: [A-Za-z0-9_-]{1,63}. They appear in
// host names, paths, log lines and metric labels.
func checkName(field, name string) error {
	if name == "" || len(name) > maxName {
		return invalid(field, "a name has 1 to %d characters, this one has %d", maxName, len(name))
	}
	for i := range len(name) {
		if c := name[i]; !alphanumeric(c) && c != '-' && c != '_' {
			return invalid(field, "%q is not a valid name: letters, digits, - and _ only", name)
		}
	}
	return nil
}

// checkBindingName accepts what can be a property of env without changing what env is.
func checkBindingName(field, name string) error {
	if name == "" || len(name) > maxBindingName {
		return invalid(field, "a binding's name has 1 to %d characters, this one has %d", maxBindingName, len(name))
	}
	for i := range len(name) {
		if c := name[i]; !alphanumeric(c) && c != '_' && c != '$' && c != '-' && c != '.' {
			return invalid(field, "%q is not a valid binding name: letters, digits, _, $, - and . only", name)
		}
	}
	if c := name[0]; '0' <= c && c <= '9' || c == '-' || c == '.' {
		return invalid(field, "%q is not a valid binding name: it begins with %q", name, c)
	}
	if strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__") {
		return invalid(field, "%q is not a valid binding name: it is reserved", name)
	}
	return nil
}

// checkModuleName accepts the relative paths that modules are imported by.
func checkModuleName(field, name string) error {
	if name == "" || len(name) > maxModuleName {
		return invalid(field, "a module's name has 1 to %d characters, this one has %d", maxModuleName, len(name))
	}
	for i := range len(name) {
		if c := name[i]; c < ' ' || c == 0x7f || c == '\\' {
			return invalid(field, "%q is not a valid module name", name)
		}
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return invalid(field, "%q is not a valid module name: it must be a plain relative path", name)
		}
	}
	return nil
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
