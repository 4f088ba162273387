// Numbers and times as people read them: one format for each unit, everywhere.
// Belongs here: digits, signs, units, the zone times are shown in. Does not: elements.

const NONE = "–";
const fixed = new Map();
const digits = (n) => fixed.get(n) ?? fixed.set(n, new Intl.NumberFormat("en-US", { minimumFractionDigits: n, maximumFractionDigits: n })).get(n);
const told = (value) => value !== null && value !== undefined && Number.isFinite(value);
const signed = (value, text) => (value > 0 ? `+${text}` : text.replace("-", "−"));

export const number = (value, n = 3) => (told(value) ? digits(n).format(value).replace("-", "−") : NONE);
export const count = (value) => number(value, 0);
export const price = (value) => number(value, 2);
export const percent = (value, n = 1) => (told(value) ? `${number(100 * value, n)} %` : NONE);
export const bp = (value, n = 1) => (told(value) ? `${signed(value, digits(n).format(value))} bp` : NONE);
export const points = (value) => (told(value) ? `${signed(value, digits(1).format(100 * value))} pp` : NONE);
export const change = (value) => (told(value) ? signed(value, `${digits(2).format(100 * value)} %`) : NONE);
export const compact = (value) => (told(value) ? Number(value.toPrecision(4)).toLocaleString("en-US", { maximumSignificantDigits: 4 }).replace("-", "−") : NONE);

export function duration(seconds) {
  if (!told(seconds)) return NONE;
  const s = Math.max(0, Math.round(seconds));
  if (s < 90) return `${s} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  return s < 129600 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} days`;
}

const KEY = "spx-zone";
let chosen = "utc";
try {
  chosen = localStorage.getItem(KEY) === "local" ? "local" : "utc";
} catch {
  // storage is forbidden: UTC until it is chosen otherwise
}
const formats = new Map();
const format = (options) => {
  const key = `${chosen}${JSON.stringify(options)}`;
  const zone = chosen === "utc" ? { timeZone: "UTC" } : {};
  return formats.get(key) ?? formats.set(key, new Intl.DateTimeFormat("en-GB", { ...zone, ...options })).get(key);
};

export const zone = () => chosen;
export function chooseZone(name) {
  chosen = name;
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // the choice lasts as long as the page
  }
}
export const zoneName = () => (chosen === "utc" ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone.replaceAll("_", " "));
const short = () => (chosen === "utc" ? "UTC" : "local");
const instant = (at) => new Date(at);
export const time = (at) => `${format({ hour: "2-digit", minute: "2-digit" }).format(instant(at))} ${short()}`;
export const clock = (at) => format({ hour: "2-digit", minute: "2-digit" }).format(instant(at));
export const day = (at) => format({ day: "numeric", month: "short", year: "numeric" }).format(instant(at));
export const moment = (at) => `${format({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(instant(at))} ${short()}`;
// Milliseconds as plotly's axes count them, which know no zones: shifted, they read as the zone that was chosen.
export const axisTime = (ms) => (chosen === "utc" ? ms : ms - new Date(ms).getTimezoneOffset() * 60000);
// The same for plotly's traces: of numbers it would take the browser's own zone away.
export const axisText = (ms) => new Date(axisTime(ms)).toISOString().slice(0, 19).replace("T", " ");
