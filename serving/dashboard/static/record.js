// The panel of outcomes: rates, their course, the newest forecasts.
// Belongs here: drawing what the service counted. Does not: counting.

import { $, asTable, fill, h, say, table } from "./dom.js";
import { colour, draw } from "./charts.js";
import * as f from "./format.js";

const OPEN = { crosses_close: "ends after the close", gap: "gap in the bars", no_bar: "no bar" };
let shown = null;

export function show(record) {
  shown = record;
  if (!record.answered) say("record", "empty", "No forecast of a bar was answered in these 30 days. Ask with POST /predict, or let `spx up` stream bars: each is forecast.");
  else if (!record.settled) say("record", "note", "No outcome yet: it is known once the horizon has passed and the job `settle` has run, every few minutes under `spx up`.");
  else say("record");
  fill($("record-tiles"),
    tile("Hit rate", f.percent(record.hit_rate), "50 % by chance"),
    tile("Interval coverage", f.percent(record.coverage), `made for ${f.percent(record.level, 0)}`),
    tile("Settled", f.count(record.settled), `of ${f.count(record.answered)} ${record.answered === 1 ? "forecast" : "forecasts"}`),
    tile("Days", f.count(record.days), "before the feed’s clock"));
  // Without an outcome there is no course of rates to draw.
  $("record-chart").closest("figure").hidden = !record.settled;
  if (record.settled) chart(record);
  fill($("record-table"), table(record.forecasts.length === 1 ? "The one forecast" : `The newest ${record.forecasts.length} forecasts`, ["Bar", "Direction", "Sure", "Signal", "Expected", "Interval", "Realised", "Outcome"],
    record.forecasts.map((each) => [f.moment(each.ts), [each.prediction, each.prediction === "up" ? "up" : "down"], f.percent(each.confidence), each.signal, f.bp(each.expected_return_bp), `${f.number(each.low_bp, 0)} to ${f.number(each.high_bp, 0)} bp`, f.bp(each.realised_return_bp), outcome(each)])));
}

export const again = () => shown && show(shown);

const tile = (name, value, note) => h("div", {}, h("dt", {}, name), h("dd", {}, `${value} `, h("small", {}, note)));

function outcome({ status, hit, covered }) {
  if (!status) return ["open", "muted"];
  if (status !== "settled") return [OPEN[status] ?? status, "muted"];
  const inside = covered ? "" : ", outside";
  if (hit === null) return [`tie${inside}`, "muted"];
  return hit ? [`✓ right${inside}`, "up"] : [`✗ wrong${inside}`, "down"];
}

function chart(record) {
  const x = record.running_ts.map(f.axisText);
  const line = (y, name, ink, dash = "solid") => ({ x, y, mode: "lines", name, line: { width: 1.8, color: ink, dash }, hovertemplate: "%{y:.1%}<extra>" + name + "</extra>" });
  const level = (value, ink) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: value, y1: value, line: { width: 1, dash: "dot", color: ink } });
  draw($("record-chart"),
    [line(record.running_hit_rate, "hit rate", colour("accent")), line(record.running_coverage, "coverage", colour("up"))],
    { hovermode: "x unified", showlegend: x.length > 0, legend: { orientation: "h", y: 1.18, x: 0 }, margin: { t: 22, b: 40, l: 46 }, xaxis: { type: "date", tickangle: 0, nticks: $("record-chart").clientWidth < 500 ? 4 : 9, ...(x.length ? {} : { visible: false }) }, yaxis: { tickformat: ".0%", range: [0, 1.02] }, shapes: record.level ? [level(0.5, colour("accent")), level(record.level, colour("up"))] : [] });
  $("record-chart-text").textContent = `Over the last ${record.window} settled forecasts at each time: share of directions that came true (dotted: chance) and of realised returns inside the interval (dotted: what it is made for). Overlapping horizons move together.`;
  asTable("record-chart", () => table("Running rates", ["Bar", "Hit rate", "Coverage"], record.running_ts.map((ts, k) => [f.moment(ts), f.percent(record.running_hit_rate[k]), f.percent(record.running_coverage[k])]).reverse().slice(0, 60)));
}
