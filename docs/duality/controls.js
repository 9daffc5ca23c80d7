// Sliders, buttons, dragging and keys: each changes the state and draws anew.
"use strict";

const Controls = (() => {
  const { state, PRICE_RANGE } = State;
  const { byId, number } = Draw;
  const KEY_STEP = 0.05; // how far an arrow key moves a point; with shift a fifth of it

  const SIDES = [
    { side: "sources", prices: "f", letter: "x", mass: "p" },
    { side: "targets", prices: "g", letter: "y", mass: "q" },
  ];

  function slider(label, low, high, value, disabled, change) {
    const cell = document.createElement("td");
    const input = Object.assign(document.createElement("input"), { type: "range", min: low, max: high, step: "any", value, disabled });
    input.setAttribute("aria-label", label);
    const shown = document.createElement("output");
    shown.textContent = number(value);
    input.addEventListener("input", () => {
      change(Number(input.value));
      refresh();
    });
    cell.append(input, shown);
    return cell;
  }

  /** Rows of sliders for the points there are. */
  function build() {
    SIDES.forEach(({ side, prices, letter, mass }) => {
      byId(side).tBodies[0].replaceChildren(...state[side].map((point, k) => {
        const row = document.createElement("tr");
        const name = Object.assign(document.createElement("td"), { textContent: `${letter}${k + 1}` });
        row.append(
          name,
          slider(`mass ${mass} of ${letter}${k + 1}`, 0, 1, point.mass, state[side].length < 2, (value) => State.setMass(state[side], k, value)),
          slider(`price ${prices} of ${letter}${k + 1}`, -PRICE_RANGE, PRICE_RANGE, state[prices][k], false, (value) => State.setPrice(state[prices], k, value)),
        );
        return row;
      }));
    });
    const { sources, targets } = state;
    byId("add-source").disabled = sources.length >= State.MOST_POINTS;
    byId("add-target").disabled = targets.length >= State.MOST_POINTS;
    byId("drop-source").disabled = sources.length < 2;
    byId("drop-target").disabled = targets.length < 2;
  }

  /** Values of the sliders that are there, and the drawing. */
  function refresh() {
    SIDES.forEach(({ side, prices }) => {
      [...byId(side).tBodies[0].rows].forEach((row, k) => {
        [[1, state[side][k].mass], [2, state[prices][k]]].forEach(([column, value]) => {
          const [input, shown] = row.cells[column].children;
          if (Number(input.value) !== value) input.value = value;
          shown.textContent = number(value);
          shown.dataset.value = String(value);
        });
      });
    });
    Draw.all();
  }

  function rebuild() {
    build();
    refresh();
  }

  function dragPoints() {
    const scene = byId("scene");
    let held = null;
    scene.addEventListener("pointerdown", (event) => {
      const { side, index } = event.target.dataset;
      if (!side) return;
      held = state[side][Number(index)];
      scene.setPointerCapture(event.pointerId);
      event.target.focus();
      event.preventDefault();
    });
    scene.addEventListener("pointermove", (event) => {
      if (!held) return;
      const frame = scene.getBoundingClientRect();
      const scale = Draw.WIDTH / frame.width;
      State.movePoint(held, ...Draw.unplace((event.clientX - frame.left) * scale, (event.clientY - frame.top) * scale));
      refresh();
    });
    ["pointerup", "pointercancel"].forEach((kind) => scene.addEventListener(kind, () => { held = null; }));
    scene.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      const { side, index } = event.target.dataset;
      if (!move || !side) return;
      const by = event.shiftKey ? KEY_STEP / 5 : KEY_STEP;
      const point = state[side][Number(index)];
      State.movePoint(point, point.x + by * move[0], point.y + by * move[1]);
      event.preventDefault();
      refresh();
    });
  }

  function start() {
    const press = (id, change, after = refresh) => byId(id).addEventListener("click", () => { change(); after(); });
    press("solve", State.solve);
    press("step", State.step);
    press("raise", State.raisePrices);
    press("zero", State.zeroPrices);
    press("add-source", () => State.addPoint(state.sources, state.f), rebuild);
    press("drop-source", () => State.dropPoint(state.sources, state.f), rebuild);
    press("add-target", () => State.addPoint(state.targets, state.g), rebuild);
    press("drop-target", () => State.dropPoint(state.targets, state.g), rebuild);
    byId("preset").addEventListener("change", (event) => { State.load(event.target.value); rebuild(); });
    byId("plan").addEventListener("change", (event) => { State.setPlan(event.target.value); refresh(); });
    dragPoints();
    State.load("line");
    byId("preset").value = "line";
    rebuild();
  }

  return { start };
})();
