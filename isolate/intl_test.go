package isolate

import (
	"fmt"
	"testing"
)

// TestIntl: what workerd answers to the same expressions. d is 2024-03-05T15:07:09.042Z.
func TestIntl(t *testing.T) {
	for _, s := range []struct{ code, want string }{
		// Dates.
		{`d.toLocaleString()`, "3/5/2024, 3:07:09 PM"},
		{`d.toLocaleDateString("en-US", { weekday: "long", year: "numeric", month: "long", day: "numeric" })`, "Tuesday, March 5, 2024"},
		{`d.toLocaleDateString("en-GB")`, "05/03/2024"},
		{`d.toLocaleDateString("de-DE", { day: "numeric", month: "long", year: "numeric" })`, "5. März 2024"},
		{`d.toLocaleDateString("fr", { dateStyle: "full" })`, "mardi 5 mars 2024"},
		{`d.toLocaleDateString("ja-JP", { dateStyle: "long" })`, "2024年3月5日"},
		{`d.toLocaleDateString("pl", { day: "numeric", month: "long" }) + d.toLocaleDateString("pl", { month: "long" })`, "5 marcamarzec"},
		{`d.toLocaleTimeString("en-US", { hour: "2-digit", minute: "2-digit" })`, "03:07 PM"},
		{`d.toLocaleTimeString("en-US", { hour: "2-digit", minute: "2-digit", hour12: false })`, "15:07"},
		{`d.toLocaleString("sv-SE", { timeZone: "Europe/Stockholm" })`, "2024-03-05 16:07:09"},
		{`d.toLocaleString("en-US", { timeZone: "America/New_York", dateStyle: "medium", timeStyle: "long" })`, "Mar 5, 2024, 10:07:09 AM EST"},
		{`d.toLocaleString("en-US", { timeZone: "Europe/Berlin", timeStyle: "full" })`, "4:07:09 PM Central European Standard Time"},
		{`d.toLocaleString("en-US", { timeZone: "Asia/Kolkata", hour: "numeric", minute: "numeric", timeZoneName: "short" })`, "8:37 PM GMT+5:30"},
		{`d.toLocaleString("en-US", { timeZone: "Asia/Tokyo", hour: "numeric", timeZoneName: "longOffset" })`, "12 AM GMT+09:00"},
		{`new Date(Date.UTC(2024, 6, 1)).toLocaleString("en-US", { timeZone: "america/new_york", timeZoneName: "short" })`, "6/30/2024, 8:00:00 PM EDT"},
		{`new Intl.DateTimeFormat("en-US", { hour: "numeric", minute: "numeric", second: "numeric", fractionalSecondDigits: 3 }).format(d)`, "3:07:09.042 PM"},
		{`new Intl.DateTimeFormat("en-US", { timeZone: "America/New_York", hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" })
			.formatToParts(d).filter((p) => p.type !== "literal").map((p) => p.type + p.value).join()`, "month03,day05,year2024,hour10,minute07"},
		{`Intl.DateTimeFormat().resolvedOptions().timeZone`, "UTC"},
		{`JSON.stringify(new Intl.DateTimeFormat("en", { hour: "numeric", minute: "numeric", timeZone: "europe/paris" }).resolvedOptions())`,
			`{"locale":"en","calendar":"gregory","numberingSystem":"latn","timeZone":"Europe/Paris","hourCycle":"h12","hour12":true,"hour":"numeric","minute":"2-digit"}`},
		{`new Intl.DateTimeFormat("en", { timeZone: "Mars/Phobos" })`, "RangeError: Invalid time zone specified: Mars/Phobos"},
		{`new Intl.DateTimeFormat("en", { timeZone: "../../etc/passwd" })`, "RangeError: Invalid time zone specified: ../../etc/passwd"},
		{`new Intl.DateTimeFormat("en", { timeZone: "Local" })`, "RangeError: Invalid time zone specified: Local"},
		{`new Intl.DateTimeFormat("en").format(NaN)`, "RangeError: Invalid time value"},
		{`new Date(NaN).toLocaleString("de")`, "Invalid Date"},
		// Numbers.
		{`(1234567.891).toLocaleString() + (1234567.891).toLocaleString("de-DE") + (1234567.891).toLocaleString("en-IN")`, "1,234,567.8911.234.567,89112,34,567.891"},
		{`new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 }).format(1.005)`, "1.01"},
		{`new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" }).format(-1234.5)`, "-$1,234.50"},
		{`new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", currencySign: "accounting" }).format(-5)`, "($5.00)"},
		{`new Intl.NumberFormat("de-DE", { style: "currency", currency: "EUR" }).format(1234.5)`, "1.234,50\u00a0€"},
		{`new Intl.NumberFormat("en-US", { style: "currency", currency: "JPY" }).format(1234.5)`, "¥1,235"},
		{`new Intl.NumberFormat("en-US", { style: "currency", currency: "CHF" }).format(5)`, "CHF\u00a05.00"},
		{`new Intl.NumberFormat("en-US", { style: "currency", currency: "EUR", currencyDisplay: "name" }).format(1)`, "1.00 euros"},
		{`new Intl.NumberFormat("en-US", { style: "percent" }).format(0.256)`, "26%"},
		{`[999, 1234, 15678, 999999, 1.5e9].map((n) => new Intl.NumberFormat("en-US", { notation: "compact" }).format(n)).join()`, "999,1.2K,16K,1M,1.5B"},
		{`new Intl.NumberFormat("en-US", { notation: "compact", compactDisplay: "long" }).format(1234567)`, "1.2 million"},
		{`new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 }).format(123456)`, "123,000"},
		{`new Intl.NumberFormat("en-US", { style: "unit", unit: "kilometer-per-hour" }).format(50)`, "50 km/h"},
		{`12345678901234567890n.toLocaleString("de")`, "12.345.678.901.234.567.890"},
		{`new Intl.NumberFormat("en", { style: "currency" })`, "TypeError: Currency code is required with currency style."},
		{`new Intl.NumberFormat("en", { maximumFractionDigits: 101 })`, "RangeError: maximumFractionDigits value is out of range."},
		{`new Intl.NumberFormat("no_such")`, "RangeError: Invalid language tag: no_such"},
		// The rest.
		{`[0, 1, 2, 5, 21].map((n) => new Intl.PluralRules("ru").select(n)).join()`, "many,one,few,many,one"},
		{`[1, 2, 3, 4, 11, 22].map((n) => new Intl.PluralRules("en", { type: "ordinal" }).select(n)).join()`, "one,two,few,other,other,two"},
		{`new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(-1, "day") + new Intl.RelativeTimeFormat("de").format(3, "weeks")`, "yesterdayin 3 Wochen"},
		{`new Intl.ListFormat("en", { type: "disjunction" }).format(["a", "b", "c"])`, "a, b, or c"},
		{`["z", "ä", "a", "Z", "é", "10", "2", "_"].sort((a, b) => a.localeCompare(b)).join("")`, "_102aäézZ"},
		{`["z", "ä", "å", "a"].sort(new Intl.Collator("sv").compare).join("")`, "azåä"},
		{`["file10", "file2"].sort(new Intl.Collator(undefined, { numeric: true }).compare).join()`, "file2,file10"},
		{`"a".localeCompare("Á", "en", { sensitivity: "base" })`, "0"},
		{`new Intl.DisplayNames("de", { type: "region" }).of("US")`, "Vereinigte Staaten"},
		{`[...new Intl.Segmenter("en").segment("a👨‍👩‍👧é")].map((s) => s.segment + s.index).join()`, "a0,👨‍👩‍👧1,é9"},
		{`[...new Intl.Segmenter("en", { granularity: "word" }).segment("Hi, you")].map((s) => s.segment + s.isWordLike).join("|")`, "Hitrue|,false| false|youtrue"},
		{`Intl.getCanonicalLocales(["EN-us", "zh-hant-tw"]).join()`, "en-US,zh-Hant-TW"},
		{`Intl.DateTimeFormat.supportedLocalesOf(["en-US", "xx", "de"]).join()`, "en-US,de"},
		{`typeof Intl.NumberFormat("en").format + Object.prototype.toString.call(Intl)`, "function[object Intl]"},
	} {
		t.Run(s.code, func(t *testing.T) {
			p := newTestPool(t, jsSpec(handler(`const d = new Date(Date.UTC(2024, 2, 5, 15, 7, 9, 42));
				try { return new Response(`+s.code+`) } catch (e) { return new Response(String(e)) }`)))
			wants(t, p, new(fakeHost), testRequest("GET", "http://a.test/", ""), "200 "+s.want)
		})
	}
}

// TestIntlIsHidden: a Worker cannot import what Intl is made of; its module scope can use it.
func TestIntlIsHidden(t *testing.T) {
	_, err := jsRuntime(t).NewPool(t.Context(), jsSpec(`import intl from "node-internal:intl"; export default { fetch() {} }`))
	if err == nil {
		t.Error("imported node-internal:intl")
	}
	p := newTestPool(t, jsSpec(fmt.Sprintf(`const f = new Intl.NumberFormat("de"); export default { fetch: () => new Response(f.format(%v)) }`, 1.5)))
	wants(t, p, new(fakeHost), testRequest("GET", "http://a.test/", ""), "200 1,5")
}
