// Package intl is what Intl asks of the host: the data of a locale, time zones, collation, plural forms and the
// boundaries of text. How a date or a number is put together is JavaScript's: ../../js/intl.
package intl

import (
	"regexp"
	"strings"

	"switchyard/isolate/service"
)

// Methods, as js/intl/locale.mjs numbers them. All answers are text.
const (
	methodData    = 1 // locale "." section -> JSON
	methodZone    = 2 // name -> the name as IANA writes it
	methodOffset  = 3 // zone, seconds since the epoch -> seconds east of UTC " " whether it is summer time
	methodCompare = 4 // locale, options, a, b -> -1, 0, 1
	methodPlural  = 5 // locale, type, whole "." fraction -> category
	methodSegment = 6 // granularity, text -> ends in UTF-16 units, "w" behind what is a word's
	methodLocales = 7 // -> all locales that there is data for
	methodTag     = 8 // language tag -> its canonical form
)

// Data is the text of a section of a locale's data, by "de-DE.core"; nil: there is none.
type Data func(key string) []byte

// Serve returns the service on a set of data, of the locales.
func Serve(data Data, locales []string) service.Service {
	s := &server{data: data, locales: strings.Join(locales, " ")}
	return s.serve
}

type server struct {
	data    Data
	locales string
}

func (s *server) serve(r *service.Request) (service.Answer, error) {
	answer, err := s.answer(r)
	return service.Answer{Bytes: answer}, err
}

func (s *server) answer(r *service.Request) ([]byte, error) {
	switch r.Method {
	case methodData:
		if data := s.data(string(r.Part(0))); data != nil {
			return data, nil
		}
		panic("BUG: intl: there is no data " + string(r.Part(0)))
	case methodZone:
		return text(zoneName(string(r.Part(0))))
	case methodOffset:
		return text(offset(string(r.Part(0)), string(r.Part(1))))
	case methodCompare:
		return text(compare(string(r.Part(0)), string(r.Part(1)), r.Part(2), r.Part(3), r.Meter))
	case methodPlural:
		return []byte(pluralForm(string(r.Part(0)), string(r.Part(1)), string(r.Part(2)))), nil
	case methodSegment:
		return segment(string(r.Part(0)), r.Part(1), r.Meter), nil
	case methodLocales:
		return []byte(s.locales), nil
	case methodTag:
		return text(canonicalTag(string(r.Part(0))))
	}
	panic("BUG: intl: js/intl asks for a method that there is not")
}

func text(answer string, err error) ([]byte, error) { return []byte(answer), err }

// languageTag is Unicode's locale identifier, without grandfathered tags.
var languageTag = regexp.MustCompile(`(?i)^([a-z]{2,3}|[a-z]{5,8})(-[a-z]{4})?(-(?:[a-z]{2}|\d{3}))?((?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*)((?:-[a-wy-z0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?)$`)

// maxTag bounds what is looked at.
const maxTag = 200

// canonicalTag gives each subtag the case that it has: "EN-latn-us-U-HC-H12" → "en-Latn-US-u-hc-h12".
func canonicalTag(tag string) (string, error) {
	m := languageTag.FindStringSubmatch(tag)
	if m == nil || len(tag) > maxTag {
		return "", service.Fail("RangeError", "Invalid language tag: "+tag)
	}
	script := strings.ToLower(m[2])
	if script != "" {
		script = "-" + strings.ToUpper(script[1:2]) + script[2:]
	}
	return strings.ToLower(m[1]) + script + strings.ToUpper(m[3]) + strings.ToLower(m[4]+m[5]), nil
}
