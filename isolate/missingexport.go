package isolate

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"strings"
)

var (
	missingExport = regexp.MustCompile(`^SyntaxError: The requested module '(.*)' (does not provide an export named|contains conflicting star exports for name) '(.*)'$`)
	importClause  = regexp.MustCompile(`\b(?:import|export)\s*([\w$*\s{},]+?)\s*\bfrom\s*["']([^"'\n]+)["']`)
)

// placeMissingExport says who imports the name that a module does not export. The engine links modules
// without a thought of their text, so its error names the two only; V8's has the importer's words and place.
func placeMissingExport(e *StartupError, modules []Module) {
	m := missingExport.FindStringSubmatch(e.Message)
	if m == nil {
		return
	}
	for i := range modules {
		importer := &modules[i]
		if importer.Kind != ModuleES {
			continue
		}
		if specifier, at := findImport(importer, m[1], m[3]); at >= 0 {
			line, column := lineAndColumn(importer.Source, at)
			e.Message = fmt.Sprintf("SyntaxError: The requested module '%s' %s '%s'", specifier, m[2], m[3])
			e.Stack = fmt.Sprintf("    at %s:%d:%d", importer.Name, line, column)
			return
		}
	}
}

// findImport is where the importer asks the module for the name; −1: nowhere.
func findImport(importer *Module, module, name string) (specifier string, at int) {
	for _, m := range importClause.FindAllSubmatchIndex(importer.Source, -1) {
		specifier = string(importer.Source[m[4]:m[5]])
		if resolve(importer.Name, specifier) != module {
			continue
		}
		if at := findName(importer.Source[m[2]:m[3]], name); at >= 0 {
			return specifier, m[2] + at
		}
	}
	return "", -1
}

// resolve is what the engine makes of a specifier.
func resolve(importer, specifier string) string {
	if strings.HasPrefix(specifier, ".") {
		return path.Join(path.Dir(importer), specifier)
	}
	return strings.TrimPrefix(specifier, "/")
}

// findName finds an imported name in what is between import and from: "a, { b, c as d }".
func findName(clause []byte, name string) int {
	if brace := bytes.IndexByte(clause, '{'); name == "default" && brace != 0 && !bytes.HasPrefix(clause, []byte("*")) {
		return 0
	}
	if m := regexp.MustCompile(`[{,]\s*(` + regexp.QuoteMeta(name) + `)\s*(?:[,}]|as\b)`).FindSubmatchIndex(clause); m != nil {
		return m[2]
	}
	return -1
}

func lineAndColumn(text []byte, at int) (line, column int) {
	before := text[:at]
	return bytes.Count(before, []byte("\n")) + 1, at - bytes.LastIndexByte(before, '\n')
}
