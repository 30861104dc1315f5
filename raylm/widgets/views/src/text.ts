/** Words and numbers as a person reads them. */

// C0 and C1 controls except tab, bidirectional overrides and isolates, and whole terminal escape sequences.
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g;
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const LONGEST_LINE = 4096;

/** Text from outside, safe to show: no escapes, no controls, no reordering, at most 4096 characters. */
export function clean(text: unknown): string {
  return stripped(String(text ?? "")).slice(0, LONGEST_LINE);
}

/** The same for text of several lines, such as a model writes, however long: line ends stay. */
export function cleanLines(text: unknown): string {
  return String(text ?? "")
    .split("\n")
    .map(stripped)
    .join("\n");
}

function stripped(text: string): string {
  return text.replace(ESCAPES, "").replace(CONTROLS, "");
}

export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

const SHORT_UNITS: [number, string][] = [
  [1e12, "T"],
  [1e9, "B"],
  [1e6, "M"],
  [1e4, "k"],
];

/** 12_400_000 -> "12.4M"; up to four digits stay whole. */
export function short(value: number): string {
  for (const [size, unit] of SHORT_UNITS) {
    if (Math.abs(value) >= size) {
      const divisor = unit === "k" ? 1e3 : size;
      return `${trim((value / divisor).toPrecision(3))}${unit}`;
    }
  }
  return count(value);
}

/** A measured number with enough digits to see it move. */
export function measure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return trim(value.toExponential(2)).replace("e+", "e");
  if (size >= 1000) return count(value);
  return size >= 100 ? value.toFixed(1) : value.toFixed(size >= 10 ? 2 : 4 - Math.min(1, Math.floor(size)));
}

export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let index = 0;
  while (value >= 1000 && index < units.length - 1) {
    value /= 1000;
    index += 1;
  }
  return `${value >= 100 || index === 0 ? Math.round(value) : value.toPrecision(2)} ${units[index]}`;
}

/** Seconds as the two largest parts: "2 h 5 min", "1 min 40 s", "12 s". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}

export function ago(unixSeconds: number, now = Date.now() / 1000): string {
  const seconds = Math.max(0, now - unixSeconds);
  if (seconds < 5) return "now";
  if (seconds < 60) return `${Math.round(seconds)} s ago`;
  return `${duration(seconds).split(" ").slice(0, 2).join(" ")} ago`;
}

export function clock(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toTimeString().slice(0, 8);
}

/** "num_layers" -> "num layers": the field's own words, readable. */
export function words(name: string): string {
  return clean(name).replaceAll("_", " ");
}

function trim(digits: string): string {
  return digits.includes(".") ? digits.replace(/\.?0+(?=e|$)/, "") : digits;
}
