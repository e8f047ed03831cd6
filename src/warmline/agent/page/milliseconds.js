const MINUS = "\u2212";

/** "612 ms", "4.2 ms"; a dash where nothing was measured. */
export function milliseconds(value) {
  return Number.isFinite(value) ? `${digits(value)} ms` : "\u2013";
}

/** The same without the unit, for columns that carry it in their heading. */
export function digits(value) {
  if (!Number.isFinite(value)) return "\u2013";
  const size = Math.abs(value);
  const written = size < 9.95 ? size.toFixed(1) : size.toFixed(0);
  return value < 0 && Number(written) !== 0 ? MINUS + written : written;
}

/** With its sign, for differences: "+12 ms", "−3.1 ms". */
export function signedMilliseconds(value) {
  return `${value > 0 ? "+" : ""}${milliseconds(value)}`;
}

/** The middle of the values that are numbers; NaN of none. */
export function median(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return NaN;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
