// Candles as pixels: a canvas over plotly's axes.
// Belongs here: drawing open, high, low and close where the axes say. Does not: axes, hovering, zooming (plotly.js, market.js).
// plotly's own candlestick is one SVG path a bar: a day of 1,380 cost 130 ms of CPU at each new bar, this costs 5.

import { colour } from "./charts.js";

const drawn = new WeakMap(); // chart -> { canvas, candles, minutes }

// What is to be painted at every plot of `chart` from now on.
export function keep(chart, candles, minutes) {
  const own = drawn.get(chart) ?? drawn.set(chart, {}).get(chart);
  Object.assign(own, { candles, minutes });
}

export function attach(chart) {
  const own = drawn.get(chart);
  if (own.canvas) return;
  own.canvas = document.createElement("canvas");
  own.canvas.className = "over";
  chart.append(own.canvas);
  chart.on("plotly_afterplot", () => paint(chart));
  paint(chart);
}

function paint(chart) {
  const { canvas, candles, minutes } = drawn.get(chart);
  const { xaxis, yaxis, width, height } = chart._fullLayout;
  const dense = window.devicePixelRatio || 1;
  canvas.width = width * dense;
  canvas.height = height * dense;
  const pen = canvas.getContext("2d");
  pen.scale(dense, dense);
  pen.beginPath();
  pen.rect(xaxis._offset, yaxis._offset, xaxis._length, yaxis._length);
  pen.clip();
  const step = xaxis.c2p(candles.x[0] + minutes * 60000) - xaxis.c2p(candles.x[0]);
  const body = Math.max(1, step * 0.7);
  const middle = xaxis._offset + step / 2;
  for (const [rose, name] of [[true, "up"], [false, "down"]]) {
    pen.fillStyle = colour(name);
    for (let k = 0; k < candles.x.length; k++) {
      if (candles.close[k] >= candles.open[k] !== rose) continue;
      const x = middle + xaxis.c2p(candles.x[k]);
      const [open, high, low, close] = [candles.open[k], candles.high[k], candles.low[k], candles.close[k]].map((value) => yaxis._offset + yaxis.c2p(value));
      pen.fillRect(x - 0.5, high, 1, Math.max(1, low - high));
      pen.fillRect(x - body / 2, Math.min(open, close), body, Math.max(1, Math.abs(close - open)));
    }
  }
}
