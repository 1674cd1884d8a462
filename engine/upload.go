package engine

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"switchyard/isolate"
)

// Ceilings of one upload.
const (
	maxUploadBytes   = 64 << 20 // all modules together
	maxModules       = 1000
	maxMetadata      = 1 << 20
	maxTags          = 8
	maxTag           = 256
	maxFlags         = 100
	maxFlag          = 100
	maxAnnotations   = 16
	maxAnnotation    = 1024
	maxScriptCPU     = 5 * time.Minute
	maxScriptMemory  = 4 << 30
	minRate          = 1.0 / 3600 // requests per second
	maxRate          = 1e6
	compatibilityFmt = "2006-01-02"
)

// checkUpload refuses what could not run or could not be kept, without looking into modules.
// Bindings have their own checks.
func checkUpload(u *Upload) error {
	for _, check := range []func(*Upload) error{checkModules, checkCompatibility, checkUploadTags, checkRunning, checkNotes} {
		if err := check(u); err != nil {
			return err
		}
	}
	return nil
}

func checkModules(u *Upload) error {
	if u.Main == "" && len(u.Modules) == 0 && (u.Assets != nil || u.KeepAssets) {
		return nil // nothing but static assets
	}
	if u.Main == "" {
		return invalid("main_module", "is missing: it names the module that handles requests")
	}
	if len(u.Modules) > maxModules {
		return invalid("modules", "there are %d modules, at most %d are allowed", len(u.Modules), maxModules)
	}
	size, main, names := 0, false, map[string]bool{}
	for i := range u.Modules {
		m := &u.Modules[i]
		field := fmt.Sprintf("modules[%d]", i)
		if err := checkModuleName(field, m.Name); err != nil {
			return err
		}
		if names[m.Name] {
			return invalid(field, "the module %q is there twice", m.Name)
		}
		if m.Kind < 0 || int(m.Kind) >= len(kindWords) {
			return invalid(field, "the module %q is of an unknown kind", m.Name)
		}
		names[m.Name] = true
		size += len(m.Source)
		main = main || m.Name == u.Main && runs(m.Kind)
	}
	if size > maxUploadBytes {
		return invalid("modules", "%d bytes of source, at most %d are allowed", size, maxUploadBytes)
	}
	if main {
		return nil
	}
	if names[u.Main] {
		return invalid("main_module", "%q is neither JavaScript nor wasm", u.Main)
	}
	return invalid("main_module", "%q is not in the upload", u.Main)
}

// runs says that a module of this kind can be the main module.
func runs(k isolate.ModuleKind) bool {
	return k == isolate.ModuleES || k == isolate.ModuleJS || k == isolate.ModuleWasm
}

func checkCompatibility(u *Upload) error {
	if d := u.CompatibilityDate; d != "" {
		if _, err := time.Parse(compatibilityFmt, d); err != nil {
			return invalid("compatibility_date", "%q is not a date like 2025-09-01", d)
		}
	}
	if len(u.CompatibilityFlags) > maxFlags {
		return invalid("compatibility_flags", "there are %d flags, at most %d are allowed", len(u.CompatibilityFlags), maxFlags)
	}
	for i, flag := range u.CompatibilityFlags {
		if flag == "" || len(flag) > maxFlag || strings.ContainsFunc(flag, notFlag) {
			return invalid(fmt.Sprintf("compatibility_flags[%d]", i), "%q is not a flag", flag)
		}
	}
	return nil
}

func notFlag(r rune) bool {
	return r >= utf8.RuneSelf || !alphanumeric(byte(r)) && !strings.ContainsRune("_-:.", r)
}

func checkUploadTags(u *Upload) error { return checkTags(u.Tags) }

// checkTags refuses what could not be asked for in a filter like "a:yes,b:no".
func checkTags(tags []string) error {
	if len(tags) > maxTags {
		return invalid("tags", "there are %d tags, at most %d are allowed", len(tags), maxTags)
	}
	for i, tag := range tags {
		if err := checkTag(fmt.Sprintf("tags[%d]", i), tag); err != nil {
			return err
		}
	}
	return nil
}

func checkTag(field, tag string) error {
	if tag == "" || len(tag) > maxTag || !utf8.ValidString(tag) || strings.ContainsFunc(tag, notTag) {
		return invalid(field, "%q is not a tag: 1 to %d bytes without comma, & and control characters", tag, maxTag)
	}
	return nil
}

func notTag(r rune) bool { return r == ',' || r == '&' || r < ' ' || r == 0x7f }

func checkRunning(u *Upload) error {
	if u.Policy < 0 || int(u.Policy) >= len(policyWords) {
		return invalid("isolation", "is neither %s", strings.Join(policyWords, " nor "))
	}
	return checkLimits(&u.Limits)
}

// checkLimits refuses limits of a script, a plan or a namespace.
func checkLimits(l *isolate.Limits) error {
	switch {
	case l.CPU < 0 || l.CPU > maxScriptCPU:
		return invalid("limits.cpu_ms", "must be from 0 to %d", maxScriptCPU/time.Millisecond)
	case l.Subrequests < 0 || l.Subrequests > maxSubrequests:
		return invalid("limits.subrequests", "must be from 0 to %d", maxSubrequests)
	case l.Memory < 0 || l.Memory > maxScriptMemory:
		return invalid("limits.memory", "must be from 0 to %d bytes", maxScriptMemory)
	case l.Wall < 0 || l.RequestBytes < 0 || l.ResponseBytes < 0 || l.LogBytes < 0 || l.EgressBytes < 0 ||
		l.Concurrent < 0 || !(l.Rate >= 0):
		return invalid("limits", "a limit is negative")
	case l.Rate > maxRate || l.Rate > 0 && l.Rate < minRate:
		return invalid("limits.rate", "must be from %g to %g", minRate, maxRate)
	}
	return nil
}

func checkNotes(u *Upload) error {
	if err := checkAnnotations(u.Annotations); err != nil {
		return err
	}
	if len(u.Metadata) > maxMetadata {
		return invalid("metadata", "has %d bytes, at most %d are allowed", len(u.Metadata), maxMetadata)
	}
	if len(u.Metadata) > 0 && !json.Valid(u.Metadata) {
		return invalid("metadata", "is not JSON")
	}
	return nil
}

func checkAnnotations(annotations map[string]string) error {
	if len(annotations) > maxAnnotations {
		return invalid("annotations", "there are %d annotations, at most %d are allowed", len(annotations), maxAnnotations)
	}
	for key, value := range annotations {
		if len(key) > maxAnnotation || len(value) > maxAnnotation {
			return invalid("annotations", "%.60q is longer than %d bytes", key, maxAnnotation)
		}
	}
	return nil
}
