// plotly.js, loaded once after the first paint, in the page's colours.
// Belongs here: loading, what all charts share. Does not: any chart.

let loading;
const unseen = new Map();

export function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("plotly.min.js", import.meta.url);
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      loading = undefined;
      reject(new Error("plotly.js could not be loaded"));
    };
    document.head.append(script);
  });
  return loading;
}

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const coarse = matchMedia("(pointer: coarse)");
const merged = (base, own) => ({ ...base, ...own });

// Drawn when it comes near the screen: of a phone's page that is a tenth at a time.
const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      const draw = entry.isIntersecting ? unseen.get(entry.target) : null;
      if (!draw) continue;
      unseen.delete(entry.target);
      watcher.unobserve(entry.target);
      entry.target.dataset.near = "yes";
      draw();
    }
  },
  { rootMargin: "300px" }
);

export async function draw(element, traces, layout, { zoom = false, after = null } = {}) {
  if (!element.dataset.near) {
    unseen.set(element, () => draw(element, traces, layout, { zoom, after }));
    watcher.observe(element);
    return null;
  }
  const Plotly = await plotly();
  const axis = { gridcolor: colour("grid"), linecolor: colour("line"), zerolinecolor: colour("line"), fixedrange: !zoom || coarse.matches, title: { font: { size: 11 } } };
  const whole = {
    autosize: true,
    font: { family: "inherit", size: 11, color: colour("muted") },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    showlegend: false,
    dragmode: zoom && !coarse.matches ? "zoom" : false,
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("text"), size: 12 } },
    ...layout,
    margin: merged({ l: 52, r: 12, t: 8, b: 36 }, layout.margin),
    xaxis: merged(axis, layout.xaxis),
    yaxis: merged(axis, layout.yaxis),
  };
  const chart = await Plotly.react(element, traces, whole, { displayModeBar: false, responsive: true, showTips: false });
  after?.(chart);
  return chart;
}
