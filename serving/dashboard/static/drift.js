// The panel of drift: the share of inputs by day, the farthest inputs with their trend, the report.
// Belongs here: drawing what was measured. Does not: verdicts.

import { $, asTable, fill, h, say, svg, table } from "./dom.js";
import { colour, draw } from "./charts.js";
import * as f from "./format.js";

let shown = null;

export function show(drift) {
  shown = drift;
  const newest = drift.days.at(-1);
  if (!newest) say("drift", "empty", "Nothing was measured yet: the drift assets measure a trading day once it is over, every day under `spx up`; in Dagster materialise monitoring/feature_drift.");
  else say("drift");
  draw($("drift-chart"),
    [{ type: "bar", x: drift.days.map((each) => each.day), y: drift.days.map((each) => each.share), marker: { color: drift.days.map((each) => colour(each.drifted ? "down" : "accent")) }, hovertemplate: "%{x}: %{y:.0%}<extra></extra>" }],
    { bargap: 0.25, margin: { l: 58, b: 46 }, xaxis: { type: "category", nticks: $("drift-chart").clientWidth < 420 ? 3 : 5, tickangle: 0 }, yaxis: { tickformat: ".0%", rangemode: "tozero", title: { text: "inputs that drifted", font: { size: 11 } } } });
  $("drift-chart-text").textContent = newest ? `${newest.day}: ${newest.drifted_features} of ${newest.features} inputs, ${f.percent(newest.share, 0)}. ${newest.drifted ? "Drifted" : "Not drifted"}: ${newest.reason}` : "";
  fill($("drift-link"), drift.report ? h("a", { href: `/dashboard/reports/${encodeURIComponent(drift.report)}`, target: "_blank", rel: "noopener" }, `Evidently report of ${drift.report_day}`) : h("span", { class: "note" }, newest ? "No report was written; materialise monitoring/reports." : ""));
  fill($("drift-table"), drift.features.length ? table(`Inputs farthest from the training window on ${newest.day}`, ["Input", "Trend", "KS distance", "PSI", "p adjusted", "Verdict"],
    drift.features.map((each) => [[each.feature, "text"], spark(each), f.number(each.statistic), f.number(each.psi), each.p_adjusted !== null && each.p_adjusted < 0.001 ? "< 0.001" : f.number(each.p_adjusted), each.drifted ? ["drifted", "down"] : ["as usual", "muted"]])) : null);
  asTable("drift-chart", () => table("Share of drifted inputs by day", ["Day", "Inputs", "Share", "Verdict"], [...drift.days].reverse().map((each) => [each.day, `${each.drifted_features} of ${each.features}`, f.percent(each.share, 0), each.drifted ? "drifted" : "as usual"])));
}

export const again = () => shown && show(shown);

function spark({ feature, trend }) {
  const most = Math.max(0.2, ...trend.map((value) => value ?? 0));
  const at = trend.map((value, k) => (value === null ? null : [3 + (86 * k) / Math.max(1, trend.length - 1), 18 - (16 * value) / most])).filter(Boolean);
  const made = svg("svg", { class: "spark", viewBox: "0 0 92 20", role: "img", "aria-label": `${feature}: ${f.number(trend.find((value) => value !== null))} to ${f.number(trend.at(-1))} over ${trend.length} days` });
  if (at.length) made.append(svg("polyline", { points: at.map((point) => point.map((value) => value.toFixed(1)).join(",")).join(" ") }), svg("circle", { cx: at.at(-1)[0], cy: at.at(-1)[1], r: 2.2 }));
  return made;
}
