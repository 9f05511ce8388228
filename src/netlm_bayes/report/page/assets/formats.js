"use strict";
// What `formats` does: a digit is shown where its Monte Carlo error is at most a quarter of its unit.

const UNITS_OF_ERROR = 4;
const KINDS = {
  time: { decimals: 1, factor: 1, unit: "", positive: true, whole: Infinity },
  share: { decimals: 0, factor: 100, unit: " %", positive: true, whole: 100 },
  "difference in times": { decimals: 1, factor: 1, unit: "", positive: false, whole: Infinity },
  "difference in shares": { decimals: 0, factor: 100, unit: " points", positive: false, whole: Infinity },
};

// Decimals of a number, below 0 for tens and hundreds.
function decimalsOf(mcse, kind) {
  if (!(mcse > 0)) return kind.decimals;
  return Math.min(kind.decimals, Math.floor(-Math.log10(UNITS_OF_ERROR * mcse) + 1e-9));
}

function shown(value, mcse, kind) {
  const own = KINDS[kind];
  if (!Number.isFinite(value)) return value < 0 ? "-∞" : "∞";
  const [number, error] = [own.factor * value, own.factor * mcse];
  const places = error === Infinity ? -Infinity : decimalsOf(error, own);
  const unit = 10 ** -places;
  if (unit === Infinity || unit > own.whole) return "not estimable";
  const text = rounded(number, places);
  if (own.positive && Number(text) === 0 && number > 0) return `<${rounded(unit, places)}`;
  if (Number(text) === own.whole && number < own.whole) return `>${rounded(own.whole - unit, places)}`;
  return text;
}

function rounded(value, places) {
  const text = places >= 0 ? value.toFixed(places) : (Math.round(value * 10 ** places) * 10 ** -places).toFixed(0);
  return Number(text) === 0 ? text.replace("-", "") : text;
}

// An estimate with its interval, each number with its own digits.
function written(found, kind, form = (text) => text) {
  const [estimate, lower, upper] = ["estimate", "lower", "upper"].map((name) =>
    form(shown(found[name], found.errors[name], kind)),
  );
  return `${estimate}${KINDS[kind].unit} (${lower} to ${upper})`;
}
