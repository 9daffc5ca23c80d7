// What the page shows: points, masses, prices, a plan, and the solver's run. Changes are made here and nowhere else.
"use strict";

const State = (() => {
  const MOST_POINTS = 12; // of a side; more would leave arcs and sliders too small to use
  const PRICE_RANGE = 3; // of the sliders, to both sides of 0; larger makes them coarser
  const BOX = { left: -0.5, right: 2.5, bottom: -0.45, top: 1.5 }; // where points may be dragged to

  const state = { mode: "line", sources: [], targets: [], f: [], g: [], plan: [], planName: "independent", run: null };

  const places = (side) => side.map((point) => (state.mode === "line" ? [point.x, 0] : [point.x, point.y]));
  const masses = (side) => side.map((point) => point.mass);
  const p = () => masses(state.sources);
  const q = () => masses(state.targets);
  const d = () => Model.distances(places(state.sources), places(state.targets));

  function normalise(side) {
    const total = Model.sum(masses(side));
    side.forEach((point) => { point.mass = total > 0 ? point.mass / total : 1 / side.length; });
  }

  /** A plan of the chosen kind for the masses as they are; the solver's run ends. */
  function setPlan(name) {
    state.planName = name === "corner" ? "corner" : "independent";
    state.plan = (state.planName === "corner" ? Model.cornerPlan : Model.independentPlan)(p(), q());
    state.run = null;
  }

  /** Random clouds that are the same each time: a linear congruential generator with a fixed start. */
  function cloud(n) {
    let seed = 12345 + n;
    const uniform = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
    const side = (left) => Array.from({ length: n }, () => ({ x: left + 1.5 * uniform(), y: -0.3 + 1.6 * uniform(), mass: 0.3 + uniform() }));
    return [side(-0.3), side(0.8)];
  }

  function load(name) {
    const points = (rows) => rows.map(([x, y, mass]) => ({ x, y, mass }));
    if (name === "line") {
      state.sources = points([[0, 0, 0.2], [1, 0, 0.2], [2, 0, 0.6]]);
      state.targets = points([[0, 0, 0.5], [1, 0, 0.3], [2, 0, 0.2]]);
    } else if (name === "plane") {
      state.sources = points([[0, 0, 0.5], [1, 0, 0.3], [0, 1, 0.2]]);
      state.targets = points([[1, 1, 0.6], [2, 0, 0.4]]);
    } else {
      [state.sources, state.targets] = cloud(Number(name.slice(5)));
      normalise(state.sources);
      normalise(state.targets);
    }
    state.mode = name === "line" ? "line" : "plane";
    zeroPrices();
    setPlan("independent");
  }

  /** Move a point; plan and prices stay what they were, and so may prove less than before. */
  function movePoint(point, x, y) {
    point.x = Math.min(BOX.right, Math.max(BOX.left, x));
    if (state.mode === "plane") point.y = Math.min(BOX.top, Math.max(BOX.bottom, y));
    state.run = null;
  }

  /** Set one mass of a side; the others keep their proportions, and the plan is made anew. */
  function setMass(side, index, mass) {
    const others = Model.sum(masses(side)) - side[index].mass;
    side.forEach((point, k) => {
      if (k === index) point.mass = mass;
      else point.mass = others > 0 ? (point.mass / others) * (1 - mass) : (1 - mass) / (side.length - 1);
    });
    setPlan(state.planName);
  }

  function addPoint(side, prices) {
    if (side.length >= MOST_POINTS) return;
    const k = side.length;
    side.push({ x: ((k * 0.61) % 1) * 2.4 - 0.2, y: ((k * 0.37) % 1) * 1.4 - 0.2, mass: 1 / k });
    prices.push(0);
    normalise(side);
    setPlan(state.planName);
  }

  function dropPoint(side, prices) {
    if (side.length < 2) return;
    side.pop();
    prices.pop();
    normalise(side);
    setPlan(state.planName);
  }

  function setPrice(prices, index, value) {
    prices[index] = value;
  }

  function zeroPrices() {
    state.f = state.sources.map(() => 0);
    state.g = state.targets.map(() => 0);
    state.run = null;
  }

  function raisePrices() {
    Object.assign(state, Model.raised(d(), state.f));
  }

  function show(run) {
    state.run = run;
    state.plan = Model.planOf(run);
    const prices = run.done ? Model.raised(d(), run.f) : run;
    const { f, g } = Model.centred(prices.f, prices.g, PRICE_RANGE);
    Object.assign(state, { f: f.slice(), g: g.slice() });
    state.planName = "solver";
  }

  /** One step of the solver, from an empty plan and prices 0 where no run is under way. */
  function step() {
    show(Model.step(state.run && !state.run.done ? state.run : Model.startRun(d(), p(), q())));
  }

  function solve() {
    let run = state.run || Model.startRun(d(), p(), q());
    while (!run.done) run = Model.step(run);
    show(run);
  }

  return { state, BOX, MOST_POINTS, PRICE_RANGE, p, q, d, load, setPlan, movePoint, setMass, addPoint, dropPoint, setPrice, zeroPrices, raisePrices, step, solve };
})();
