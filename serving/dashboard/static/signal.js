// The panel of the signal: what it says, how sure, why.
// Belongs here: the forecast in words. Does not: drawing it over the candles (market.js).

import { $, fill, h, say, table } from "./dom.js";
import * as f from "./format.js";

const SIGNS = { buy: ["Buy", "▲", "up"], sell: ["Sell", "▼", "down"], hold: ["Hold", "■", "muted"] };
let announced = "";
let shown = null;

export function why({ forecast, threshold }) {
  const sure = f.percent(forecast.confidence);
  const gate = forecast.gate.replaceAll("_", " ");
  if (forecast.horizon_crosses_close) return "The horizon ends after the trading day: never a signal.";
  if (forecast.gate === "no_edge" || forecast.gate === "unjudged") return `The model did not pass the gate (${gate}): its forecasts are shown and never signal.`;
  if (forecast.in_sample) return "The training saw this bar: no evidence of skill, never a signal.";
  if (forecast.confidence < threshold) return `Confidence ${sure} is below the threshold of ${f.percent(threshold)}.`;
  return `Confidence ${sure} reaches the threshold of ${f.percent(threshold)}, and the model passed the gate (${gate}).`;
}

export function show(signal) {
  shown = signal;
  say("signal");
  const { forecast: made, threshold } = signal;
  const [word, sign, tone] = SIGNS[made.signal];
  const up = made.prediction === "up";
  const reasons = made.reasons ?? [];
  fill(
    $("signal-body"),
    h("p", { class: `verdict ${tone}` }, h("span", { "aria-hidden": "true" }, sign), h("strong", {}, word), h("span", { class: "muted" }, `${made.prediction}, ${f.percent(made.confidence)} sure`)),
    h("p", { class: "why" }, why(signal)),
    meter(made.probability, threshold, up),
    h("dl", { class: "facts" },
      fact("Expected return", `${f.bp(made.expected_return_bp)}${made.return_head === "ok" ? "" : " (not better than zero)"}`),
      fact("Price at the horizon", f.price(made.predicted_price)),
      fact(`${f.percent(made.interval_bp.level, 0)} interval`, `${f.bp(made.interval_bp.low)} to ${f.bp(made.interval_bp.high)}`),
      fact("From the bar of", f.moment(made.timestamp)),
      fact("Holds until", f.moment(signal.expires_at)),
      fact("Model", `${made.model_name}, ${made.alias.replaceAll("_", " ")}`)),
    h("h3", {}, "What moved it most"),
    reasons.length
      ? table("Inputs that moved the probability of up most, against their median", ["Input", "Value", "Median", "Effect"],
          reasons.map((each) => [[each.feature, "text"], f.compact(each.value), f.compact(each.median), [f.points(each.probability), each.probability >= 0 ? "up" : "down"]]), { hideCaption: true })
      : h("p", { class: "note" }, "This version was trained before medians were kept, so no reason can be given; train it again with spx train."));
  const text = `${made.instrument}: ${word}, ${made.prediction} with ${f.percent(made.confidence)} confidence.`;
  // Told when the signal changes, not at every bar: a screen reader would never be silent.
  const key = `${made.instrument}/${made.horizon_minutes}/${made.signal}/${made.prediction}`;
  if (announced !== key) $("announce").textContent = text;
  announced = key;
}

export const again = () => shown && show(shown);

export function clear() {
  shown = null;
  fill($("signal-body"));
}

const fact = (name, value) => [h("dt", {}, name), h("dd", {}, value)];

// Probability of up on a scale from 0 to 100 %, from the middle outwards; ticks where it would signal.
function meter(probability, threshold, up) {
  const reach = 100 * Math.abs(probability - 0.5);
  return h("div", { class: `meter ${up ? "up" : "down"}`, role: "img", "aria-label": `Probability of up ${f.percent(probability)}; buys from ${f.percent(threshold)}, sells up to ${f.percent(1 - threshold)}` },
    h("i", { style: { width: `${reach}%`, left: `${up ? 50 : 50 - reach}%` } }),
    h("b", { style: { left: `${100 * threshold}%` } }), h("b", { style: { left: `${100 * (1 - threshold)}%` } }),
    h("span", { class: "left" }, "down"), h("span", { class: "mid" }, `P(up) ${f.percent(probability)}`), h("span", { class: "right" }, "up"));
}
