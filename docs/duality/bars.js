// The second panel: two vertical bars, and what KL, JS and W1 see of the distance between them.
"use strict";

const Bars = (() => {
  const { make, put, byId, number } = Draw;
  const SAMPLES = 81; // points of each curve

  function drawBars(theta) {
    const node = byId("bars-scene");
    node.replaceChildren();
    const at = (x) => 240 + 190 * x;
    make("line", { class: "axis", x1: 20, x2: 460, y1: 200, y2: 200 }, node);
    [-1, 0, 1].forEach((tick) => make("text", { class: "quiet", x: at(tick), y: 228, "text-anchor": "middle" }, node, String(tick).replace("-", "−")));
    make("line", { x1: at(0), x2: at(0), y1: 40, y2: 200, style: "stroke: var(--source); stroke-width: 10" }, node);
    make("line", { x1: at(theta), x2: at(theta), y1: 40, y2: 200, style: "stroke: var(--target); stroke-width: 5" }, node);
    make("text", { x: at(0), y: 28, "text-anchor": "middle", style: "fill: var(--source)" }, node, Math.abs(theta) < 0.15 ? "" : "P");
    make("text", { x: at(theta), y: 28, "text-anchor": "middle", style: "fill: var(--target)" }, node, Math.abs(theta) < 0.15 ? "P, Q" : "Q");
    if (Math.abs(theta) >= 0.1) {
      make("line", { x1: at(0), x2: at(theta), y1: 120, y2: 120, style: "stroke: var(--moved); stroke-width: 2; stroke-dasharray: 4 4" }, node);
      make("text", { x: at(theta / 2), y: 110, "text-anchor": "middle", style: "fill: var(--moved)" }, node, "|θ|");
    }
  }

  function drawChart(theta, values) {
    const node = byId("bars-chart");
    node.replaceChildren();
    const at = (x) => 240 + 190 * x;
    const height = (value) => 200 - 130 * Math.min(value, 1.3);
    make("line", { class: "axis", x1: 40, x2: 440, y1: 200, y2: 200 }, node);
    [-1, 0, 1].forEach((tick) => make("text", { class: "quiet", x: at(tick), y: 228, "text-anchor": "middle" }, node, String(tick).replace("-", "−")));
    make("text", { class: "quiet", x: 8, y: height(1) + 5 }, node, "1");
    make("text", { x: 8, y: 36, style: "fill: var(--broken)" }, node, "∞");
    const line = (x1, y1, x2, y2, colour) => make("line", { x1, y1, x2, y2, style: `stroke: ${colour}; stroke-width: 2.5` }, node);
    const open = 4; // pixels left free on either side of theta = 0, where KL and JS jump
    [[-1, 0], [0, 1]].forEach(([from, to]) => {
      const ends = [at(from) + (from === 0 ? open : 0), at(to) - (to === 0 ? open : 0)];
      line(ends[0], 30, ends[1], 30, "var(--broken)");
      line(ends[0], height(Math.log(2)), ends[1], height(Math.log(2)), "var(--target)");
    });
    const path = Array.from({ length: SAMPLES }, (_, k) => -1 + (2 * k) / (SAMPLES - 1)).map((x) => `${at(x)},${height(Math.abs(x))}`);
    make("polyline", { points: path.join(" "), style: "fill: none; stroke: var(--moved); stroke-width: 2.5" }, node);
    const mark = (value, colour) => make("circle", { cx: at(theta), cy: value === Infinity ? 30 : height(value), r: 6, style: `fill: ${colour}` }, node);
    mark(values.kl, "var(--broken)");
    mark(values.js, "var(--target)");
    mark(values.w1, "var(--moved)");
    [["KL", 30, "var(--broken)"], ["JS", height(Math.log(2)), "var(--target)"], ["W₁", height(1), "var(--moved)"]].forEach(
      ([name, y, colour]) => make("text", { x: 440, y: y + 5, style: `fill: ${colour}` }, node, name));
  }

  function show() {
    const theta = Number(byId("theta").value);
    const values = Model.twoBars(theta);
    byId("theta-value").textContent = number(theta).slice(0, -2);
    put("kl", values.kl);
    put("js", values.js);
    put("w1", values.w1);
    drawBars(theta);
    drawChart(theta, values);
  }

  function start() {
    byId("theta").addEventListener("input", show);
    show();
  }

  return { start };
})();

Controls.start();
Bars.start();
