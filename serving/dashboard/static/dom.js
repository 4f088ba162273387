// Elements and panels' states.
// Belongs here: making elements from text, what a panel says when it has nothing or failed. Does not: any panel.
// Text becomes text nodes, never markup: headlines and reasons are written by strangers.

export const $ = (id) => document.getElementById(id);

export function h(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") made.className = value;
    else if (name === "style") for (const [key, text] of Object.entries(value)) made.style.setProperty(key, text);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const fill = (element, ...children) => element.replaceChildren(...children.flat().filter(Boolean));

const SVG = "http://www.w3.org/2000/svg";
export function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// A table of head cells and rows of cells; the first cell of a row is its header. A cell is text, an element, or [text, class].
export function table(caption, head, rows, { hideCaption = false, classes = [] } = {}) {
  const cell = (tag, content, extra) => {
    const [inside, own] = Array.isArray(content) ? content : [content, ""];
    return h(tag, { class: [own, extra?.class].filter(Boolean).join(" ") || null, scope: extra?.scope }, inside);
  };
  return h(
    "table",
    {},
    h("caption", { class: hideCaption ? "hidden" : null }, caption),
    h("thead", {}, h("tr", {}, head.map((text, k) => cell("th", text, { scope: "col", class: classes[k] })))),
    h("tbody", {}, rows.map((row) =>
      h("tr", {}, row.map((content, k) => cell(k ? "td" : "th", content, { scope: k ? null : "row", class: classes[k] })))
    ))
  );
}

// kind: empty, stale or error; without a text the panel is well.
export function say(panel, kind = "", text = "") {
  const line = $(panel).querySelector(".state");
  if (line.dataset.said === text && line.dataset.kind === kind) return;
  line.dataset.kind = kind;
  line.dataset.said = text;
  line.replaceChildren(...coded(text));
  line.hidden = !text;
  $(panel).classList.toggle("is-empty", kind === "empty");
}

// What stands between backticks is a command or a name.
export const coded = (text) => text.split("`").map((part, k) => (k % 2 ? h("code", {}, part) : part));

// The table below a chart, made when it is opened and again while it is open.
export function asTable(chartId, make) {
  const details = $(chartId).closest("figure").querySelector("details");
  const draw = () => details.open && fill(details.querySelector(".scroll"), make());
  details.ontoggle = draw;
  draw();
}
