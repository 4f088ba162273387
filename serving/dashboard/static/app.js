// The page: what is chosen, who asks for what and how often, what happens when the service goes and comes.
// Belongs here: wiring. Does not: any panel.

import { $, fill, h, say } from "./dom.js";
import { ask } from "./http.js";
import { Live } from "./live.js";
import * as drift from "./drift.js";
import * as f from "./format.js";
import * as market from "./market.js";
import * as model from "./model.js";
import * as news from "./news.js";
import * as record from "./record.js";
import * as signal from "./signal.js";
import * as system from "./system.js";

let choices = JSON.parse(document.body.dataset.choices);
const chosen = { instrument: null, horizon: null };
const loops = new Map();
const fresh = new Map(); // panel -> when it was last answered

function choose() {
  const names = Object.keys(choices);
  if (!names.includes(chosen.instrument)) chosen.instrument = names.find((name) => choices[name].length) ?? names[0] ?? null;
  const horizons = choices[chosen.instrument] ?? [];
  if (!horizons.includes(chosen.horizon)) chosen.horizon = horizons.includes(30) ? 30 : (horizons[0] ?? 30);
  const options = (id, values, own, text) => {
    const list = values.length ? values : [own ?? "none yet"];
    fill($(id), list.map((value) => h("option", { value, selected: value === own }, text(value))));
  };
  options("instrument", names, chosen.instrument, String);
  options("horizon", horizons, chosen.horizon, (value) => `${value} min`);
}

// Asks now and every `seconds`; a panel that had an answer keeps it when a later one fails, and says since when.
function loop(panel, seconds, work, failed) {
  let timer = 0;
  let asked = 0;
  const run = async () => {
    clearTimeout(timer);
    const mine = ++asked;
    try {
      await work(() => mine === asked);
      if (mine === asked) fresh.set(panel, Date.now());
    } catch (error) {
      if (mine !== asked) return;
      if (!error.code) console.error(error);
      const state = error.code && error.status >= 500 && error.status !== 500 ? "stale" : "error";
      const kept = fresh.has(panel) && error.code === "unreachable" ? ` Shown as of ${f.time(fresh.get(panel))}.` : "";
      say(panel, state, `${error.message}${kept}`);
      // Where nothing was shown yet no place is kept for it.
      if (!fresh.has(panel)) $(panel).classList.add("is-empty");
      if (error.code !== "unreachable") failed?.(state, error.message);
    } finally {
      if (mine === asked && !document.hidden) timer = setTimeout(run, 1000 * seconds);
    }
  };
  loops.set(panel, run);
  return run;
}

const both = () => ({ instrument: chosen.instrument, horizon: chosen.horizon });
const needs = (panel) => {
  if (chosen.instrument) return true;
  say(panel, "empty", "Nothing is bound yet. `spx demo` makes a market, models and a first forecast; `spx import candles PATH` brings your own candles.");
  return false;
};

loop("market", 120, async (current) => {
  if (!needs("market")) return;
  const found = await ask("/dashboard/market", both());
  if (current()) market.show(found);
});
loop("signal", 15, async (current) => {
  if (!needs("signal")) return;
  const found = await ask("/dashboard/signal", both());
  if (!current()) return;
  signal.show(found);
  market.forecastIs(found.forecast);
}, () => { signal.clear(); market.forecastIs(null); });
loop("model", 60, async (current) => {
  if (!needs("model")) return model.clear("empty", "No model is loaded; train one with `spx train`.");
  const found = await ask("/dashboard/model", both());
  if (current()) model.show(found);
}, (kind, text) => model.clear(kind, text));
loop("news", 30, async (current) => {
  const found = await ask("/news/recent", { limit: 60, hours_back: 24 });
  if (current()) news.show(found, chosen.instrument);
});
loop("record", 20, async (current) => {
  if (!needs("record")) return;
  const found = await ask("/dashboard/record", both());
  if (current()) record.show(found);
});
loop("drift", 120, async (current) => {
  if (!needs("drift")) return;
  const found = await ask("/dashboard/drift", { instrument: chosen.instrument });
  if (current()) drift.show(found);
});
loop("system", 10, async (current) => {
  const found = await ask("/dashboard/system");
  if (!current()) return;
  system.show(found);
  if (JSON.stringify(found.choices) !== JSON.stringify(choices)) {
    choices = found.choices;
    choose();
    all();
  }
});

const all = (...names) => [...loops].forEach(([name, run]) => (names.length ? names.includes(name) : name !== "system") && run());
const again = () => {
  document.querySelectorAll(".zone-name").forEach((each) => (each.textContent = f.zoneName()));
  market.redraw();
  [signal, model, news, record, drift, system].forEach((panel) => panel.again());
};

$("instrument").onchange = (event) => { chosen.instrument = event.target.value; choose(); all(); };
$("horizon").onchange = (event) => { chosen.horizon = Number(event.target.value); all("market", "signal", "model", "record"); };
$("zone").value = f.zone();
$("zone").onchange = (event) => { f.chooseZone(event.target.value); again(); };
$("theme").value = window.spxTheme.current();
$("theme").onchange = (event) => { window.spxTheme.choose(event.target.value); again(); };
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
document.addEventListener("visibilitychange", () => { if (!document.hidden) all(...loops.keys()); });

const live = new Live();
let soon = 0;
live.addEventListener("state", ({ detail }) => { $("connection").dataset.kind = detail.kind; $("connection").textContent = detail.text; });
live.addEventListener("back", () => all(...loops.keys()));
live.addEventListener("bar", ({ detail }) => market.add(detail));
live.addEventListener("forecast", ({ detail: { forecast } }) => {
  if (forecast.instrument !== chosen.instrument || forecast.horizon_minutes !== chosen.horizon) return;
  market.add_forecast(forecast);
  market.forecastIs(forecast);
  // Its reasons are not in the stream: asked for at most every second.
  soon ||= setTimeout(() => { soon = 0; loops.get("signal")(); }, 1000);
});

market.start();
choose();
all(...loops.keys());
live.start();
again();
