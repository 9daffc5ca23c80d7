// Draws the scene, the interval and the numbers from the state; changes nothing in it.
"use strict";

const Draw = (() => {
  const { state, BOX } = State;
  const NS = "http://www.w3.org/2000/svg";
  const WIDTH = 640;
  const HEIGHT = 420;
  const TRACKS = { sources: 95, targets: 325 }; // heights of the two tracks when all points lie on a line
  const FAINT_ARCS = 36; // up to so many arcs also those without mass and with slack are drawn
  const CLOSED = 1e-9; // a gap below this is shown as closed; larger shows worse answers as proved

  const byId = (id) => document.getElementById(id);
  /** Four decimals, with a proper minus sign and none before 0. */
  const number = (value) => value.toFixed(4).replace(/^-(?=[0.]+$)/, "").replace("-", "−");

  function make(tag, attributes, parent, text) {
    const node = document.createElementNS(NS, tag);
    Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
    if (text !== undefined) node.textContent = text;
    if (parent) parent.append(node);
    return node;
  }

  /** A number with four decimals, and all of its digits in data-value. */
  function put(id, value) {
    const node = byId(id);
    node.textContent = value === Infinity ? "∞" : number(value);
    node.dataset.value = String(value);
  }

  const unit = WIDTH / (BOX.right - BOX.left);
  function place(point, side) {
    return [(point.x - BOX.left) * unit, state.mode === "line" ? TRACKS[side] : HEIGHT - (point.y - BOX.bottom) * unit];
  }
  const unplace = (x, y) => [x / unit + BOX.left, (HEIGHT - y) / unit + BOX.bottom];

  function tracks(scene) {
    [["sources", "p, f"], ["targets", "q, g"]].forEach(([side, label]) => {
      make("line", { class: "axis", x1: 0, x2: WIDTH, y1: TRACKS[side], y2: TRACKS[side] }, scene);
      make("text", { class: "quiet", x: 8, y: TRACKS[side] - 10 }, scene, label);
    });
    [0, 1, 2].forEach((tick) => make("text", { class: "quiet", x: (tick - BOX.left) * unit, y: HEIGHT - 4, "text-anchor": "middle" }, scene, tick));
  }

  function arcs(scene, slack, tolerance) {
    const few = state.f.length * state.g.length <= FAINT_ARCS;
    const drawn = [];
    slack.forEach((row, i) => row.forEach((gap, j) => {
      const mass = state.plan[i][j];
      const kinds = [[gap < -tolerance, "broken", 2], [mass > 1e-12, "moved", 1], [Math.abs(gap) <= tolerance && mass <= 1e-12, "tight", 0], [few, "", -1]];
      kinds.forEach(([holds, kind, order]) => {
        if (holds && !(kind === "" && drawn.some((arc) => arc.i === i && arc.j === j))) drawn.push({ i, j, kind, order, mass });
      });
    }));
    drawn.sort((a, b) => a.order - b.order).forEach(({ i, j, kind, mass }) => {
      const [x1, y1] = place(state.sources[i], "sources");
      const [x2, y2] = place(state.targets[j], "targets");
      const line = make("line", { class: `arc ${kind}`, x1, y1, x2, y2 }, scene);
      if (kind === "moved") line.style.strokeWidth = `${2 + 26 * mass}px`;
    });
  }

  function points(scene, side, letter) {
    state[side].forEach((point, k) => {
      const [x, y] = place(point, side);
      const r = 7 + 22 * Math.sqrt(point.mass);
      const common = { class: `point ${side.slice(0, -1)}`, tabindex: 0, role: "button", "data-side": side, "data-index": k,
        "aria-label": `${side.slice(0, -1)} ${k + 1}, mass ${number(point.mass)}; arrow keys move it` };
      if (side === "sources") make("circle", { ...common, cx: x, cy: y, r }, scene);
      else make("rect", { ...common, x: x - r, y: y - r, width: 2 * r, height: 2 * r, rx: 4 }, scene);
      const label = side === "targets" ? { y: y + r + 6, "dominant-baseline": "hanging" } : { y: y - r - 6 };
      make("text", { x, ...label, "text-anchor": "middle", "pointer-events": "none" }, scene, `${letter}${k + 1}`);
    });
  }

  function scene(slack, tolerance) {
    const node = byId("scene");
    const focused = document.activeElement && document.activeElement.dataset ? { ...document.activeElement.dataset } : {};
    node.replaceChildren();
    if (state.mode === "line") tracks(node);
    arcs(node, slack, tolerance);
    points(node, "targets", "y");
    points(node, "sources", "x");
    if (focused.side) node.querySelector(`[data-side="${focused.side}"][data-index="${focused.index}"]`)?.focus();
    byId("scene-hint").textContent = state.mode === "line"
      ? "Drag a point sideways, or focus it and use the arrow keys. Both rows lie on one line; d is the distance along it."
      : "Drag a point, or focus it and use the arrow keys. d is the straight distance.";
  }

  function interval(numbers) {
    const node = byId("interval");
    node.replaceChildren();
    const low = Math.min(0, numbers.lower, numbers.raw);
    const high = Math.max(numbers.upper, numbers.raw, 0.1);
    const at = (value) => 20 + (560 * (value - low)) / (high - low);
    make("line", { x1: 20, x2: 580, y1: 52, y2: 52, style: "stroke: var(--track); stroke-width: 14" }, node);
    const colour = numbers.closed ? "var(--moved)" : "var(--source)";
    make("line", { x1: at(numbers.lower), x2: Math.max(at(numbers.upper), at(numbers.lower) + 3), y1: 52, y2: 52, style: `stroke: ${colour}; stroke-width: 14` }, node);
    const [x0, x1] = [at(numbers.lower), at(numbers.upper)];
    make("text", { x: Math.min(x0, 430), y: 82, "text-anchor": x0 < 60 ? "start" : "middle" }, node, numbers.closed ? "" : "lower");
    make("text", { x: Math.max(x1, 40), y: 82, "text-anchor": x1 > 540 ? "end" : "middle" }, node, numbers.closed ? "both" : "upper");
    if (numbers.excess > 0) {
      const x = at(numbers.raw);
      make("path", { d: `M ${x} 43 l -8 -14 h 16 z`, style: "fill: var(--broken)" }, node);
      make("text", { x, y: 22, "text-anchor": x < 150 ? "start" : x > 450 ? "end" : "middle", style: "fill: var(--broken)" }, node, "income as it stands");
    }
  }

  function certificate(proof) {
    const exponent = (value) => (value === 0 ? "0" : value < 1e-3 ? value.toExponential(1).replace("-", "−") : number(value));
    const lines = [
      [proof.planFeasible, `Plan: rows add up to p, columns to q; largest error ${exponent(proof.marginalError)}`],
      [proof.pricesFeasible, `Prices: f + g ≤ d on every arc; largest excess ${exponent(proof.priceExcess)}`],
      [proof.complementary, `Slackness: mass only where slack is 0; largest product ${exponent(proof.slackness)}`],
    ];
    byId("certificate").replaceChildren(...lines.map(([holds, text]) => {
      const item = document.createElement("li");
      item.textContent = text;
      item.className = holds ? "holds" : "";
      item.setAttribute("aria-label", `${holds ? "holds" : "fails"}: ${text}`);
      return item;
    }));
  }

  function slacks(slack, tolerance) {
    const cell = (tag, text, kind = "") => Object.assign(document.createElement(tag), { textContent: text, className: kind });
    const few = state.g.length <= 6;
    const head = document.createElement("tr");
    head.append(cell("th", ""), ...state.g.map((_, j) => Object.assign(cell("th", `y${j + 1}`), { scope: "col" })));
    const rows = slack.map((row, i) => {
      const line = document.createElement("tr");
      line.append(Object.assign(cell("th", `x${i + 1}`), { scope: "row" }), ...row.map((gap, j) => {
        const mass = state.plan[i][j];
        const entry = cell("td", number(gap).slice(0, -1), gap < -tolerance ? "broken" : gap <= tolerance ? "tight" : "");
        entry.append(cell("small", mass > 1e-12 ? `${few ? "mass " : ""}${mass.toFixed(3)}` : ""));
        return entry;
      }));
      return line;
    });
    byId("slacks").className = few ? "" : "many";
    byId("slacks").replaceChildren(head, ...rows);
  }

  function stepText() {
    const { run } = state;
    if (!run) return "Solve steps from prices 0 and an empty plan: each step raises prices until mass can move where the slack is 0.";
    const path = run.path.map(([i, j, sign]) => (sign > 0 ? `x${i + 1} → y${j + 1}` : `back y${j + 1} → x${i + 1}`)).join(", ");
    const left = Model.sum(run.left) / 2 ** 50;
    return `Step ${run.steps}: mass ${number(run.sent)} along ${path}. ${run.done ? "All mass is placed." : `Mass ${number(left)} is left, placed by the corner rule for now.`}`;
  }

  function all() {
    const [d, p, q] = [State.d(), State.p(), State.q()];
    const { f, g, plan } = state;
    const proof = Model.certificate(d, p, q, plan, f, g);
    const tolerance = Model.TOLERANCE * Math.max(1, ...d.flat());
    const slack = Model.slack(d, f, g);
    const feasible = Model.shifted(d, f, g);
    const lower = Model.income(p, q, feasible.f, feasible.g);
    const excess = proof.pricesFeasible ? 0 : proof.priceExcess;
    const gap = proof.upper - lower;
    const closed = Math.abs(gap) <= CLOSED;
    scene(slack, tolerance);
    interval({ raw: proof.lower, lower, upper: proof.upper, excess, closed });
    put("raw", proof.lower);
    put("excess", excess);
    put("lower", lower);
    put("upper", proof.upper);
    put("gap", gap);
    byId("verdict").textContent = closed ? `W₁ = ${number(proof.upper)}, proved` : `${number(lower)} ≤ W₁ ≤ ${number(proof.upper)}`;
    byId("verdict").className = closed ? "verdict closed" : "verdict";
    certificate(proof);
    slacks(slack, tolerance);
    byId("step-text").textContent = stepText();
    byId("plan").value = state.planName;
    byId("plan").querySelector('[value="solver"]').hidden = state.planName !== "solver";
  }

  return { all, make, put, number, byId, unplace, WIDTH };
})();
