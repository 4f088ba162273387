// The panel of candles.
// Belongs here: bars as candles of some minutes, the forecast and its interval over them. Does not: asking and hearing (app.js).

import { $, asTable, fill, h, say, table } from "./dom.js";
import { attach, keep } from "./candles.js";
import { colour, draw } from "./charts.js";
import * as f from "./format.js";

const MINUTE = 60000;
const MOST = 1380;
let shown = null;
let forecast = null;
let minutes = matchMedia("(max-width: 720px)").matches ? 15 : 5;
let pending = 0;
let drawing = false;
let outdated = false; // something changed while it was drawn

export function start() {
  const buttons = [...document.querySelectorAll(".segments button")];
  const press = () => buttons.forEach((each) => each.setAttribute("aria-pressed", String(Number(each.dataset.minutes) === minutes)));
  buttons.forEach((each) => (each.onclick = () => { minutes = Number(each.dataset.minutes); press(); redraw(); }));
  press();
}

export function show(market) {
  shown = market;
  if (!market.candles.ts.length) {
    const why = market.provider
      ? `${market.instrument} has a feed and no candles in the lake yet: materialise bronze/candles, in Dagster or with \`spx backfill\`.`
      : "The lake holds no feed. Import candles with `spx import candles PATH`, or make a simulated market with `spx demo`.";
    say("market", "empty", why);
  } else say("market");
  redraw();
}

export function forecastIs(made) {
  forecast = made;
  redraw();
}

export function add(bar) {
  if (!shown || bar.instrument !== shown.instrument) return;
  const { candles } = shown;
  const ts = Date.parse(bar.timestamp);
  let at = candles.ts.length;
  while (at > 0 && candles.ts[at - 1] >= ts) at--;
  const replaced = candles.ts[at] === ts ? 1 : 0;
  candles.ts.splice(at, replaced, ts);
  for (const name of ["open", "high", "low", "close"]) candles[name].splice(at, replaced, bar[name]);
  // A standing feed's clock moves with its bars.
  if (!shown.live && ts >= candles.ts.at(-1)) shown.clock = ts + MINUTE;
  for (const column of Object.values(candles)) if (column.length > MOST) column.splice(0, column.length - MOST);
  say("market");
  // A fast replay brings 150 bars a second: drawn at most every quarter of one.
  pending ||= setTimeout(() => { pending = 0; redraw(); }, 250);
}

export function add_forecast(made) {
  if (!shown || made.predicted_price === null || made.predicted_price === undefined) return;
  const { forecasts } = shown;
  const ts = Date.parse(made.timestamp);
  if (forecasts.ts.at(-1) >= ts) return;
  const [, low, high] = prices(made);
  forecasts.ts.push(ts);
  forecasts.price.push(made.predicted_price);
  forecasts.low.push(low);
  forecasts.high.push(high);
}

// Close of the bar, and the interval as prices.
function prices(made) {
  const close = made.predicted_price / (1 + made.expected_return_bp / 1e4);
  return [close, close * (1 + made.interval_bp.low / 1e4), close * (1 + made.interval_bp.high / 1e4)];
}

export function grouped({ ts, open, high, low, close }, length) {
  if (length === 1) return { x: ts, open, high, low, close };
  const made = { x: [], open: [], high: [], low: [], close: [] };
  const step = length * MINUTE;
  for (let k = 0; k < ts.length; k++) {
    const start = Math.floor(ts[k] / step) * step;
    const last = made.x.length - 1;
    if (last < 0 || made.x[last] !== start) {
      made.x.push(start); made.open.push(open[k]); made.high.push(high[k]); made.low.push(low[k]); made.close.push(close[k]);
    } else {
      made.high[last] = Math.max(made.high[last], high[k]);
      made.low[last] = Math.min(made.low[last], low[k]);
      made.close[last] = close[k];
    }
  }
  return made;
}

export async function redraw() {
  if (!shown) return;
  words();
  if (drawing) {
    outdated = true;
    return;
  }
  drawing = true;
  outdated = false;
  const started = performance.now();
  try {
    const done = shown.candles.ts.length ? await paint() : null;
    if (done) {
      await new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
      performance.measure(`candles-${minutes}min`, { start: started, end: performance.now(), detail: shown.candles.ts.length });
    }
  } catch (error) {
    say("market", "error", `The chart could not be drawn: ${error.message}. Reload the page; the numbers are in the table below it.`);
  } finally {
    drawing = false;
  }
  if (outdated) redraw();
}

function paint() {
  const { candles, forecasts, horizon_minutes: horizon } = shown;
  const made = grouped(candles, minutes);
  const reach = (horizon + 1) * MINUTE;
  const x = made.x.map(f.axisText);
  keep($("candles"), { ...made, x: made.x.map(f.axisTime) }, minutes);
  const traces = [
    ...band(forecasts.ts.map((ts) => ts + reach), forecasts),
    // Not seen, hovered: the candles themselves are painted over it.
    { x, y: made.close, customdata: x.map((_, k) => [made.open[k], made.high[k], made.low[k]]), mode: "lines", line: { width: 1, color: "rgba(0,0,0,0)" },
      hovertemplate: "open %{customdata[0]:,.2f}<br>high %{customdata[1]:,.2f}<br>low %{customdata[2]:,.2f}<br>close %{y:,.2f}<extra></extra>" },
  ];
  const last = candles.ts.at(-1);
  let [bottom, top] = [Math.min(...candles.low), Math.max(...candles.high)];
  if (forecast?.instrument === shown.instrument && forecast.predicted_price && Date.parse(forecast.timestamp) >= candles.ts[0]) {
    const from = Date.parse(forecast.timestamp) + MINUTE;
    const ahead = [from, from + horizon * MINUTE].map(f.axisText);
    const [close, low, high] = prices(forecast);
    traces.push(
      { x: ahead, y: [close, high], mode: "lines", line: { width: 1, color: colour("accent") }, hoverinfo: "skip" },
      { x: ahead, y: [close, low], mode: "lines", line: { width: 1, color: colour("accent") }, fill: "tonexty", fillcolor: colour("band"), hoverinfo: "skip" },
      { x: ahead, y: [close, forecast.predicted_price], mode: "lines+markers", name: "forecast", marker: { size: [0, 7] }, line: { width: 2.5, color: colour("accent") }, hovertemplate: "%{y:,.2f}<extra>forecast</extra>" }
    );
    [bottom, top] = [Math.min(bottom, low), Math.max(top, high)];
  }
  const pad = (top - bottom) * 0.04 || 1;
  const element = $("candles");
  return draw(
    element, traces,
    {
      uirevision: `${shown.instrument}/${minutes}/${f.zone()}`,
      hovermode: "x",
      margin: { l: 62, r: 10, t: 6, b: 40 },
      xaxis: { type: "date", range: [candles.ts[0] - 5 * MINUTE, last + reach + 10 * MINUTE].map(f.axisText), nticks: element.clientWidth < 500 ? 4 : 10, hoverformat: "%H:%M" },
      yaxis: { range: [bottom - pad, top + pad], tickformat: ",.0f" },
    },
    { zoom: true, after: attach }
  );
}

function band(x, { price }) {
  if (!x.length) return [];
  return [{ x: x.map(f.axisText), y: price, mode: "lines", name: "earlier forecast", line: { width: 1.2, dash: "dot", color: colour("earlier") }, hoverinfo: "skip" }];
}

function words() {
  const { candles, instrument } = shown;
  if (!candles.ts.length) return;
  const [first, last] = [candles.close[0], candles.close.at(-1)];
  $("price").textContent = f.price(last);
  fill($("move"), h("span", { class: last >= first ? "up" : "down" }, f.change(last / first - 1)), h("span", { class: "muted" }, ` since ${f.moment(candles.ts[0])} · bar of ${f.time(candles.ts.at(-1))}`));
  const kind = shown.live ? "live feed" : `${shown.provider} feed, its clock stands at ${f.moment(shown.clock)}`;
  let text = `${instrument}, ${kind}: ${f.count(candles.ts.length)} one-minute bars, lowest ${f.price(Math.min(...candles.low))}, highest ${f.price(Math.max(...candles.high))}.`;
  if (forecast?.instrument === instrument && forecast.predicted_price) {
    const [, low, high] = prices(forecast);
    const until = Date.parse(forecast.timestamp) + (forecast.horizon_minutes + 1) * MINUTE;
    text += ` Forecast for ${f.time(until)}: ${f.price(forecast.predicted_price)}, ${f.percent(forecast.interval_bp.level, 0)} interval ${f.price(low)} to ${f.price(high)}.`;
  }
  $("candles-text").textContent = text;
  asTable("candles", () => {
    const made = grouped(candles, minutes);
    const rows = made.x.map((ts, k) => [f.moment(ts), ...["open", "high", "low", "close"].map((name) => f.price(made[name][k]))]);
    return table(`Candles of ${minutes} min, newest first`, ["Start", "Open", "High", "Low", "Close"], rows.reverse().slice(0, 60));
  });
}
