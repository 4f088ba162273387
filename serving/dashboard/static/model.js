// The panels of the model: card, importance, ROC, confusion, calibration.
// Belongs here: what its training wrote down. Does not: how it does since (record.js).

import { $, asTable, fill, h, say, table } from "./dom.js";
import { colour, draw } from "./charts.js";
import * as f from "./format.js";

const DRAWN = ["importance", "roc", "confusion", "calibration"];
const VERDICTS = { promoted: "up", manual: "up", kept_champion: "warn", not_entered: "warn", no_edge: "bad", unjudged: "warn" };
const SEGMENTS = { fit: "Rows fitted on", out_of_time: "Rows judged on" };
let shown = null;

export function show(card) {
  shown = card;
  say("model");
  const { info } = card;
  const verdict = card.verdict?.verdict ?? info.gate;
  fill(
    $("model-body"),
    h("p", { class: "verdict" }, h("strong", { class: VERDICTS[verdict], style: { "font-size": "1.25rem" } }, verdict.replaceAll("_", " ")), h("span", { class: "muted" }, info.alias.replaceAll("_", " "))),
    h("p", { class: "why" }, card.verdict ? sentence(card.verdict.reason) : "The gate has not judged this version; it never signals."),
    table("Out of time, each beside its baseline on the same rows", ["Metric", "Model", "Baseline"],
      card.metrics.map((each) => [[each.name, "text"], [measure(each, each.value), each.better === null ? "" : each.better ? "up" : "down"], h("span", {}, measure(each, each.baseline), " ", h("span", { class: "muted beside" }, each.baseline_name))])),
    h("h3", {}, "Version"),
    h("dl", { class: "facts" },
      ...fact("Forecaster", `${info.name}, ${info.type}`), ...fact("Version", h("code", {}, info.version)), ...fact("Digest", h("code", {}, info.digest.slice(0, 12))),
      ...fact("Trained on", `${f.day(card.training_start)} to ${f.day(info.training_cutoff)}`),
      ...Object.entries(card.rows).filter(([name]) => SEGMENTS[name]).map(([name, rows]) => fact(SEGMENTS[name], f.count(rows))).flat(),
      ...fact("Inputs", f.count(info.features)), ...fact("Effective observations", f.count(info.skill.effective_obs))));
  if (card.evaluation) {
    DRAWN.forEach((id) => say(id));
    redraw();
  } else DRAWN.forEach((id) => say(id, "empty", card.lacking));
}

export function clear(kind, text) {
  shown = null;
  fill($("model-body"));
  fill($("confusion-body"));
  DRAWN.forEach((id) => say(id, kind, text));
}

export const again = () => shown && show(shown);

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;
const fact = (name, value) => [h("dt", {}, name), h("dd", {}, value)];

function measure({ unit }, value) {
  if (unit === "%") return f.percent(value);
  return unit ? `${f.number(value, 2)} ${unit}` : f.number(value, 4);
}

function redraw() {
  const { evaluation } = shown;
  importance(evaluation.importance);
  roc(evaluation);
  confusion(evaluation.confusion);
  calibration(evaluation);
}

function importance(all) {
  const first = [...all].reverse();
  const loss = first.map((each) => each.permutation * 1000);
  draw($("importance-chart"),
    [{ type: "bar", orientation: "h", x: loss, y: first.map((each) => each.feature), marker: { color: loss.map((value) => colour(value >= 0 ? "accent" : "down")) }, hovertemplate: "%{y}: %{x:.2f}<extra></extra>" }],
    { margin: { l: 158, r: 12, t: 4, b: 36 }, bargap: 0.35, xaxis: { title: { text: "thousandths of log loss", font: { size: 11 } } }, yaxis: { tickfont: { size: 10 }, showgrid: false } });
  $("importance-chart-text").textContent = all.length ? `Most owed to ${all.slice(0, 3).map((each) => each.feature).join(", ")}. Measured by permuting one input at a time over whole days; a negative bar misled.` : "No input was measured.";
  asTable("importance-chart", () => table("Inputs by permutation importance", ["Input", "Permutation", "Gain"], all.map((each) => [[each.feature, "text"], f.number(each.permutation, 5), f.percent(each.gain)])));
}

function roc({ roc: points, rows, start, end }) {
  const auc = shown.info.skill.auc;
  draw($("roc-chart"),
    [
      { x: [0, 1], y: [0, 1], mode: "lines", line: { width: 1, dash: "dot", color: colour("muted") }, hoverinfo: "skip" },
      { x: points.map(([x]) => x), y: points.map(([, y]) => y), mode: "lines", line: { width: 2, color: colour("accent") }, fill: "tonexty", fillcolor: colour("band"), hovertemplate: "true %{y:.0%}, false %{x:.0%}<extra></extra>" },
    ],
    { margin: { l: 58 }, xaxis: { title: { text: "false positive rate", font: { size: 11 } }, range: [0, 1], tickformat: ".0%" }, yaxis: { title: { text: "true positive rate", font: { size: 11 } }, range: [0, 1.005], tickformat: ".0%" } });
  $("roc-chart-text").textContent = `Area ${f.number(auc)} (a coin toss has 0.500), over ${f.count(rows)} overlapping rows from ${f.day(start)} to ${f.day(end)}.`;
  asTable("roc-chart", () => table("ROC curve", ["False positive rate", "True positive rate"], points.filter((_, k) => k % 10 === 0).map(([x, y]) => [f.percent(x), f.percent(y)])));
}

function confusion({ true_up: tu, false_up: fu, true_down: td, false_down: fd }) {
  const all = tu + fu + td + fd || 1;
  const cell = (value, kind) => h("td", { class: kind, style: { "--share": String(Math.round((160 * value) / all)) } }, h("b", {}, f.percent(value / all)), f.count(value));
  fill($("confusion-body"),
    h("table", { class: "matrix" }, h("caption", {}, `${f.count(all)} rows; ${f.percent((tu + td) / all)} of the stated directions came true`),
      h("thead", {}, h("tr", {}, h("td", { style: { background: "none", padding: "0" } }), h("th", { scope: "col" }, "went up"), h("th", { scope: "col" }, "went down"))),
      h("tbody", {}, h("tr", {}, h("th", { scope: "row" }, "said up"), cell(tu, "right"), cell(fu, "wrong")), h("tr", {}, h("th", { scope: "row" }, "said down"), cell(fd, "wrong"), cell(td, "right")))),
    h("dl", { class: "tiles", style: { "margin-top": "0.9rem" } },
      h("div", {}, h("dt", {}, "Precision of up"), h("dd", {}, f.percent(tu / (tu + fu)))), h("div", {}, h("dt", {}, "Recall of up"), h("dd", {}, f.percent(tu / (tu + fd))))));
}

function calibration({ calibration: bins, ece, ece_band: chance }) {
  const x = bins.map((each) => each.probability);
  const y = bins.map((each) => each.share);
  const ends = [Math.min(...x, ...bins.map((each) => each.low ?? each.share)), Math.max(...x, ...bins.map((each) => each.high ?? each.share))];
  draw($("calibration-chart"),
    [
      { x: ends, y: ends, mode: "lines", line: { width: 1, dash: "dot", color: colour("muted") }, hoverinfo: "skip" },
      { x, y, mode: "lines+markers", line: { width: 1.5, color: colour("accent") }, marker: { size: 6 }, hovertemplate: "said %{x:.1%}, was %{y:.1%}<extra></extra>",
        error_y: { type: "data", symmetric: false, array: bins.map((each) => (each.high ?? each.share) - each.share), arrayminus: bins.map((each) => each.share - (each.low ?? each.share)), color: colour("earlier"), thickness: 1.2, width: 3 } },
    ],
    { margin: { l: 58 }, xaxis: { title: { text: "stated probability of up", font: { size: 11 } }, tickformat: ".0%", nticks: 7 }, yaxis: { title: { text: "share that went up, 95 %", font: { size: 11 } }, tickformat: ".0%" } });
  $("calibration-chart-text").textContent = `Calibration error ${f.number(ece)}; exactly right probabilities would stay below ${f.number(chance)} in 95 of 100 samples.`;
  asTable("calibration-chart", () => table("Calibration in ten bins", ["Stated", "Went up", "95 % interval", "Rows"], bins.map((each) => [f.percent(each.probability), f.percent(each.share), `${f.percent(each.low)} to ${f.percent(each.high)}`, f.count(each.rows)])));
}
