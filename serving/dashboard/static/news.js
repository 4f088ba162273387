// The panel of news: headlines with their sentiment and its strength.
// Belongs here: one line a story. Does not: scoring.

import { $, fill, h, say } from "./dom.js";
import * as f from "./format.js";

let shown = null;

export function show(news, instrument) {
  shown = [news, instrument];
  const told = new Map();
  for (const article of news.articles) if (article.duplicate_of) told.set(article.duplicate_of, (told.get(article.duplicate_of) ?? 0) + 1);
  const stories = news.articles.filter((article) => !article.duplicate_of);
  if (!stories.length) {
    say("news", "empty", `No article is known from ${f.moment(news.since)} to ${f.moment(news.clock)}. Import some with \`spx import news\`, or let \`spx up\` poll the providers in SPX_NEWS__LIVE.`);
    fill($("news-body"));
    return;
  }
  say("news");
  const scored = stories.map((story) => story.sentiment.find((each) => each.instrument === instrument) ?? story.sentiment[0]);
  const known = scored.filter(Boolean);
  const mean = known.reduce((sum, each) => sum + each.score, 0) / (known.length || 1);
  fill($("news-body"),
    h("p", { class: "note" }, `${f.count(stories.length)} stories, mean score ${signed(mean)}. Score: positive less negative probability, −1 to +1; strength: its size times the relevance for ${instrument}.`),
    h("ul", {}, stories.map((story, k) => line(story, scored[k], told.get(story.article_id)))));
}

export const again = () => shown && show(...shown);

const signed = (score) => `${score > 0 ? "+" : ""}${f.number(score, 2)}`;

function line(story, scored, others) {
  const title = story.url ? h("a", { href: story.url, target: "_blank", rel: "noopener noreferrer nofollow" }, story.title) : h("b", {}, story.title);
  const more = others ? `, also told by ${others}` : "";
  return h("li", { class: "headline" }, title, h("p", {}, scored ? tone(scored) : h("span", {}, "not scored yet"), h("span", {}, `${f.moment(story.known_at)}`), h("span", {}, `${story.source}${more}`)));
}

function tone({ score, relevance, positive, negative, neutral }) {
  const word = positive >= negative && positive >= neutral ? "positive" : negative >= neutral ? "negative" : "neutral";
  const reach = 50 * Math.min(1, Math.abs(score));
  const kind = word === "neutral" ? "muted" : word === "positive" ? "up" : "down";
  return h("span", {}, h("span", { class: `tone ${score >= 0 ? "up" : "down"}`, "aria-hidden": "true" }, h("i", { style: { width: `${reach}%`, left: `${score >= 0 ? 50 : 50 - reach}%` } })),
    h("span", { class: kind }, `${word} ${signed(score)}`), relevance > 0 ? `, strength ${f.percent(Math.abs(score) * relevance, 0)}` : ", not about the market");
}
