package intl

import (
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

var forms = map[plural.Form]string{
	plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other",
}

// millions are languages that say "un million de".
var millions = map[string]bool{"es": true, "fr": true, "it": true, "pt": true}

// pluralForm is the category of a number as it is shown, "12.50".
func pluralForm(locale, kind, shown string) string {
	whole, fraction, _ := strings.Cut(shown, ".")
	stripped := strings.TrimRight(fraction, "0")
	i := lastDigits(whole)
	tag := language.Make(locale)
	rules := plural.Cardinal
	if kind == "ordinal" {
		rules = plural.Ordinal
	}
	base, _ := tag.Base()
	if kind == "cardinal" && millions[base.String()] && fraction == "" && i != 0 && i%1_000_000 == 0 {
		return "many"
	}
	return forms[rules.MatchPlural(tag, i, len(fraction), len(stripped), lastDigits(fraction), lastDigits(stripped))]
}

// kept is how many digits the rules look at; a longer number keeps one more, so that it is not taken for a small one.
const kept = 7

func lastDigits(digits string) int {
	if len(digits) > kept {
		digits = "1" + digits[len(digits)-kept:]
	}
	n, _ := strconv.Atoi(digits)
	return n
}
