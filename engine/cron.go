package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A cron expression as the public API takes it: five fields of lists of values, ranges and
// steps, in UTC, with the extensions L, W and # of the days.
//
//	minute  hour  day of month  month    day of week
//	0-59    0-23  1-31, L, nW   1-12     0-7 (0 and 7 are Sunday), L, n#n
//	                            JAN-DEC  SUN-SAT
var cronFields = []struct {
	name        string
	least, most int
	words       []string // stand for least, least+1…
}{
	{"minute", 0, 59, nil},
	{"hour", 0, 23, nil},
	{"day of month", 1, 31, nil},
	{"month", 1, 12, []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
	{"day of week", 0, 7, []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
}

const (
	maxCronLength = 256
	dayOfMonth    = 2
	dayOfWeek     = 4
)

// checkCron says what is wrong with an expression.
func checkCron(expr string) error {
	if len(expr) > maxCronLength {
		return fmt.Errorf("longer than %d bytes", maxCronLength)
	}
	fields := strings.Fields(expr)
	if len(fields) != len(cronFields) {
		return fmt.Errorf("a cron expression has %d fields, this one has %d", len(cronFields), len(fields))
	}
	for i, field := range fields {
		for part := range strings.SplitSeq(strings.ToUpper(field), ",") {
			if !validCronPart(i, part) {
				return fmt.Errorf("%s: %q is not a value, a range or a step from %d to %d", cronFields[i].name, part, cronFields[i].least, cronFields[i].most)
			}
		}
	}
	return nil
}

func validCronPart(field int, part string) bool {
	span, step, stepped := strings.Cut(part, "/")
	if n, err := strconv.Atoi(step); stepped && (err != nil || n < 1 || n > cronFields[field].most) {
		return false
	}
	if span == "*" || span == "?" && (field == dayOfMonth || field == dayOfWeek) {
		return true
	}
	if !stepped && validCronDay(field, span) {
		return true
	}
	from, to, ranged := strings.Cut(span, "-")
	first, ok := cronValue(field, from)
	if !ranged {
		return ok
	}
	last, okLast := cronValue(field, to)
	return ok && okLast && first <= last
}

// validCronDay is L (the last), nL (the last such weekday), nW (the weekday nearest to) and n#k
// (the kth such weekday).
func validCronDay(field int, part string) bool {
	switch field {
	case dayOfMonth:
		day, ok := strings.CutSuffix(part, "W")
		_, valid := cronValue(field, day)
		return part == "L" || part == "LW" || ok && valid
	case dayOfWeek:
		if day, nth, ok := strings.Cut(part, "#"); ok {
			_, valid := cronValue(field, day)
			n, err := strconv.Atoi(nth)
			return valid && err == nil && n >= 1 && n <= 5
		}
		day, ok := strings.CutSuffix(part, "L")
		_, valid := cronValue(field, day)
		return part == "L" || ok && valid
	}
	return false
}

func cronValue(field int, text string) (int, bool) {
	f := &cronFields[field]
	if i := slices.Index(f.words, text); i >= 0 {
		return f.least + i, true
	}
	if text == "" || len(text) > 2 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= f.least && n <= f.most
}
