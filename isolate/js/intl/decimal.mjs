// Decimal numbers as text: the shortest digits that mean the number, rounded as a person would, half away from zero.

// digitsOf is { negative, digits, point }: 0.digits × 10^point; digits "" is zero.
export function digitsOf(value) {
  if (typeof value === "bigint") {
    const text = String(value < 0n ? -value : value);
    return { negative: value < 0n, digits: text === "0" ? "" : text, point: text.length };
  }
  const negative = value < 0 || Object.is(value, -0);
  const [mantissa, exponent = "0"] = String(Math.abs(value)).split("e");
  const [whole, fraction = ""] = mantissa.split(".");
  const all = whole + fraction, lead = /^0*/.exec(all)[0].length;
  return { negative, digits: all.slice(lead).replace(/0+$/, ""), point: whole.length - lead + Number(exponent) };
}

const UP = { ceil: (n) => !n.negative, floor: (n) => n.negative, expand: () => true, trunc: () => false };

// roundAt keeps the first `keep` digits.
export function roundAt(n, keep, mode = "halfExpand") {
  if (keep >= n.digits.length) return n;
  if (keep < 0) return { ...n, digits: UP[mode]?.(n) && n.digits !== "" ? "1" : "", point: UP[mode]?.(n) && n.digits !== "" ? n.point - keep + 1 : n.point };
  const kept = n.digits.slice(0, keep), rest = n.digits.slice(keep);
  if (!roundsUp(n, kept, rest, mode)) return trimmed({ ...n, digits: kept });
  const digits = String(BigInt(`1${kept}`) + 1n);
  const carried = digits[0] !== "1";
  return trimmed({ ...n, digits: carried ? `1${digits.slice(1)}` : digits.slice(1), point: n.point + (carried ? 1 : 0) });
}

function roundsUp(n, kept, rest, mode) {
  if (UP[mode]) return UP[mode](n) && /[1-9]/.test(rest);
  const half = rest[0] === "5" && !/[1-9]/.test(rest.slice(1));
  if (!half) return rest[0] >= "5";
  const odd = Number(kept.at(-1) ?? 0) % 2 === 1;
  return { halfExpand: true, halfTrunc: false, halfEven: odd, halfCeil: !n.negative, halfFloor: n.negative }[mode];
}

const trimmed = (n) => ({ ...n, digits: n.digits.replace(/0+$/, "") });

// wholeAndFraction writes it with at least so many digits on either side of the point.
export function wholeAndFraction({ digits, point }, minWhole, minFraction) {
  const whole = digits === "" ? "" : point <= 0 ? "" : digits.slice(0, point).padEnd(point, "0");
  const fraction = digits === "" ? "" : point < 0 ? "0".repeat(-point) + digits : digits.slice(Math.max(point, 0));
  return [whole.padStart(Math.max(minWhole, whole === "" ? Math.min(1, minWhole) : 0), "0"), fraction.padEnd(minFraction, "0")];
}
