// The panel of the system: parts, problems, last runs.
// Belongs here: the service's own words. Does not: judging.

import { $, coded, fill, h, say, table } from "./dom.js";
import * as f from "./format.js";

const WORDS = { ok: "well", warn: "look at it", bad: "not well", off: "off" };
let shown = null;

export function show(system) {
  shown = system;
  say("system");
  const { health } = system;
  fill($("system-body"),
    h("p", { class: "verdict" }, h("strong", { class: health.status === "healthy" ? "up" : "warn", style: { "font-size": "1.25rem" } }, health.status), h("span", { class: "muted" }, `at ${f.time(health.timestamp)}`)),
    health.problems.length ? h("ul", { class: "why", style: { "padding-left": "1.1rem" } }, health.problems.map((text) => h("li", {}, coded(text)))) : null,
    h("ul", { class: "parts" }, system.parts.map((part) => h("li", { "data-state": part.state }, h("span", { class: "dot", "aria-hidden": "true" }), h("span", {}, h("b", {}, part.name), h("span", { class: "muted" }, ` ${WORDS[part.state]}`)), h("p", {}, coded(part.text))))),
    h("h3", {}, "Last made"),
    system.runs.length
      ? table("What was made last of each table, by the wall’s clock", ["Asset", "When", "Week"], system.runs.map((run) => [[run.asset.split("/").flatMap((part, k) => (k ? ["/", h("wbr"), part] : [part])), "text"], f.moment(run.at), run.week]), { hideCaption: true })
      : h("p", { class: "note" }, "Nothing was made yet: start the graph with ", h("code", {}, "spx demo"), ", or ", h("code", {}, "spx up"), " and Dagster."));
}

export const again = () => shown && show(shown);
