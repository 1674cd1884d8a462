package intl

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"switchyard/isolate/service"
)

// collators are free ones, by locale and options: a collator works for one at a time. The keys are bounded by the
// locales that there is data for and the choices of options.
var collators sync.Map // string → *sync.Pool

// compareByte is about what a byte of either text takes.
const compareByte = 60 * time.Nanosecond

func compare(locale, options string, a, b []byte, m service.Meter) (string, error) {
	m.Afford(time.Duration(len(a)+len(b)) * compareByte)
	pool, ok := collators.Load(locale + options)
	if !ok {
		pool, _ = collators.LoadOrStore(locale+options, &sync.Pool{New: func() any { return newCollator(locale, options) }})
	}
	c := pool.(*sync.Pool).Get().(*collate.Collator)
	defer pool.(*sync.Pool).Put(c)
	return strconv.Itoa(c.Compare(a, b)), nil
}

// newCollator reads "sensitivity,numeric,ignorePunctuation,caseFirst".
func newCollator(locale, options string) *collate.Collator {
	fields := strings.Split(options, ",")
	if fields[2] == "true" {
		locale += "-u-ka-shifted"
	}
	tag := language.Make(locale)
	var chosen []collate.Option
	switch fields[0] {
	case "base":
		chosen = append(chosen, collate.IgnoreCase, collate.IgnoreDiacritics)
	case "accent":
		chosen = append(chosen, collate.IgnoreCase)
	case "case":
		chosen = append(chosen, collate.IgnoreDiacritics)
	}
	if fields[1] == "true" {
		chosen = append(chosen, collate.Numeric)
	}
	return collate.New(tag, append([]collate.Option{collate.OptionsFromTag(tag)}, chosen...)...)
}
