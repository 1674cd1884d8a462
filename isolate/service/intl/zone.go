package intl

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // where the system has no zones of its own

	"switchyard/isolate/service"
)

// zones are the time zones that have been asked for, by the name that was asked: at most as many as
// there are, since others are not kept.
var zones sync.Map // string → *time.Location

var (
	offsetZone = regexp.MustCompile(`^([+-])([01]\d|2[0-3])(?::?([0-5]\d))?$`)
	zoneWord   = regexp.MustCompile(`^[A-Za-z]+[A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*$`)
	utcNames   = regexp.MustCompile(`(?i)^(?:Etc/)?(?:UTC|GMT|UCT|Zulu|Universal|Greenwich|GMT[+-]?0)$`)
)

func zoneName(name string) (string, error) {
	if utcNames.MatchString(name) {
		return "UTC", nil
	}
	if m := offsetZone.FindStringSubmatch(name); m != nil {
		return m[1] + m[2] + ":" + fmt.Sprintf("%02s", m[3]), nil
	}
	for _, spelled := range []string{name, spelling(name)} {
		if zoneWord.MatchString(spelled) && zone(spelled) != nil {
			return spelled, nil
		}
	}
	return "", service.Fail("RangeError", "Invalid time zone specified: "+name)
}

// spelling is a zone's name as IANA writes most: "america/port-au-prince" is the odd one that stays unknown.
func spelling(name string) string {
	words := strings.Split(strings.ToLower(name), "/")
	for i, word := range words {
		parts := strings.Split(word, "_")
		for j, part := range parts {
			if part != "" && part != "of" && part != "es" {
				parts[j] = strings.ToUpper(part[:1]) + part[1:]
			}
		}
		words[i] = strings.Join(parts, "_")
	}
	return strings.Join(words, "/")
}

// zone is a time zone by its exact name; nil: there is none.
func zone(name string) *time.Location {
	if found, ok := zones.Load(name); ok {
		return found.(*time.Location)
	}
	if name == "Local" {
		return nil
	}
	found, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	zones.Store(name, found)
	return found
}

func offset(name, seconds string) (string, error) {
	if m := offsetZone.FindStringSubmatch(name); m != nil {
		hours, _ := strconv.Atoi(m[1] + m[2])
		minutes, _ := strconv.Atoi(m[1] + "0" + m[3])
		return fmt.Sprintf("%d 0", hours*3600+minutes*60), nil
	}
	at, err := strconv.ParseInt(seconds, 10, 64)
	location := zone(name)
	if err != nil || location == nil {
		return "", service.Fail("RangeError", "Invalid time zone specified: "+name)
	}
	t := time.Unix(at, 0).In(location)
	_, east := t.Zone()
	summer := 0
	if t.IsDST() {
		summer = 1
	}
	return fmt.Sprintf("%d %d", east, summer), nil
}
