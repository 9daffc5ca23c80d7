// The mathematics of the page: bounds, certificate and an exact solver. No document, no drawing.
//
// Given p_i at points x_i and q_j at points y_j with equal totals, and d_ij = |x_i - y_j|:
//   primal  min sum_ij plan_ij d_ij   plan >= 0, row sums p, column sums q      (cost of a plan)
//   dual    max sum_i p_i f_i + sum_j q_j g_j   with f_i + g_j <= d_ij           (income of prices)
// f_i is charged for picking a unit up at x_i, g_j for setting it down at y_j.
"use strict";

const Model = (() => {
  const MASS_UNITS = 2 ** 50; // the total mass in integer units: flows are exact; larger would leave doubles' integers
  const TOLERANCE = 1e-12; // of a certificate, relative to the largest distance (or 1); larger accepts worse answers

  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const table = (n, m, entry) => Array.from({ length: n }, (_, i) => Array.from({ length: m }, (_, j) => entry(i, j)));
  const largest = (values) => values.reduce((best, value) => Math.max(best, value), -Infinity);

  /** Euclidean distances between points [[x, y], ...], as a table [n][m]. */
  function distances(x, y) {
    return table(x.length, y.length, (i, j) => Math.hypot(x[i][0] - y[j][0], x[i][1] - y[j][1]));
  }

  /** Cost of a plan: sum_ij plan_ij d_ij. */
  function planCost(d, plan) {
    return sum(plan.map((row, i) => sum(row.map((mass, j) => mass * d[i][j]))));
  }

  /** Income of prices: sum_i p_i f_i + sum_j q_j g_j. A lower bound only where f + g <= d. */
  function income(p, q, f, g) {
    return sum(p.map((mass, i) => mass * f[i])) + sum(q.map((mass, j) => mass * g[j]));
  }

  /** Slack d_ij - f_i - g_j; negative where prices break their condition. */
  function slack(d, f, g) {
    return table(f.length, g.length, (i, j) => d[i][j] - f[i] - g[j]);
  }

  /** Largest f_i + g_j - d_ij, or 0: how far prices are from being feasible. */
  function excess(d, f, g) {
    return Math.max(0, -Math.min(...slack(d, f, g).flat()));
  }

  /** Prices made feasible by lowering every f by the largest excess. */
  function shifted(d, f, g) {
    const by = excess(d, f, g);
    return { f: f.map((price) => price - by), g: g.slice(), by };
  }

  /** The highest g for these f, then the highest f for those g (both c-transforms): feasible, and never a lower income
   * than that of feasible prices. */
  function raised(d, f) {
    const g = d[0].map((_, j) => Math.min(...f.map((price, i) => d[i][j] - price)));
    return { f: f.map((_, i) => Math.min(...g.map((price, j) => d[i][j] - price))), g };
  }

  /** The same prices with a constant moved from f to g, if one is beyond the range, so that both are about equally
   * large: no sum f_i + g_j changes, and the income neither. */
  function centred(f, g, range) {
    if (Math.max(...[...f, ...g].map(Math.abs)) <= range) return { f, g };
    const middle = (prices) => (Math.min(...prices) + Math.max(...prices)) / 2;
    const by = (middle(f) - middle(g)) / 2;
    return { f: f.map((price) => price - by), g: g.map((price) => price + by) };
  }

  /** The independent plan p_i q_j / total. */
  function independentPlan(p, q) {
    const total = sum(q);
    return table(p.length, q.length, (i, j) => (total > 0 ? (p[i] * q[j]) / total : 0));
  }

  /** Fill row after row, column after column, with what is left of both (the north-west corner rule). */
  function cornerPlan(p, q) {
    const plan = table(p.length, q.length, () => 0);
    const left = p.slice();
    const free = q.slice();
    for (let i = 0, j = 0; i < p.length && j < q.length; ) {
      const mass = Math.min(left[i], free[j]);
      plan[i][j] += mass;
      left[i] -= mass;
      free[j] -= mass;
      if (left[i] <= free[j]) i += 1;
      else j += 1;
    }
    return plan;
  }

  /** Everything that a reader needs to check an answer: both sides' feasibility, slackness, and the two values. */
  function certificate(d, p, q, plan, f, g) {
    const scale = Math.max(1, largest(d.flat()));
    const columns = q.map((_, j) => sum(plan.map((row) => row[j])));
    const marginalError = largest([
      ...plan.map((row, i) => Math.abs(sum(row) - p[i])),
      ...columns.map((mass, j) => Math.abs(mass - q[j])),
    ]);
    const leastMass = Math.min(...plan.flat());
    const priceExcess = excess(d, f, g);
    const slackness = largest(slack(d, f, g).flatMap((row, i) => row.map((gap, j) => plan[i][j] * Math.abs(gap))));
    const upper = planCost(d, plan);
    const lower = income(p, q, f, g);
    const planFeasible = marginalError <= TOLERANCE && leastMass >= 0;
    const pricesFeasible = priceExcess <= TOLERANCE * scale;
    const complementary = slackness <= TOLERANCE * scale;
    return {
      marginalError, leastMass, priceExcess, slackness, upper, lower, gap: upper - lower,
      planFeasible, pricesFeasible, complementary, optimal: planFeasible && pricesFeasible && complementary,
    };
  }

  /** Masses in whole units that add up to MASS_UNITS; rounding is settled on the largest mass. */
  function wholeUnits(masses) {
    const total = sum(masses);
    const units = masses.map((mass) => Math.round((mass / total) * MASS_UNITS));
    units[units.indexOf(largest(units))] += MASS_UNITS - sum(units);
    return units;
  }

  function checked(d, p, q) {
    const masses = [...p, ...q];
    if (masses.some((mass) => !(mass >= 0 && Number.isFinite(mass)))) throw new Error("masses must be finite and at least 0");
    if (!(sum(p) > 0)) throw new Error("the total mass must be positive");
    if (Math.abs(sum(p) - sum(q)) > 1e-9 * sum(p)) throw new Error("both sides must have the same total mass");
    if (d.flat().some((length) => !(length >= 0 && Number.isFinite(length)))) throw new Error("distances must be finite and at least 0");
  }

  /** Shortest path, in slack, from any row with mass left to the nearest column with room (Dijkstra, dense).
   * Rows are nodes 0 .. n-1, columns n .. n+m-1; mass on an arc opens the arc back, whose slack is 0. */
  function shortestPath(run) {
    const { d, f, g, flow, left, free } = run;
    const n = left.length;
    const size = n + free.length;
    const length = Array.from({ length: size }, (_, v) => (v < n && left[v] > 0 ? 0 : Infinity));
    const before = new Array(size).fill(-1);
    const done = new Array(size).fill(false);
    for (;;) {
      let v = -1;
      for (let u = 0; u < size; u += 1) if (!done[u] && length[u] < Infinity && (v < 0 || length[u] < length[v])) v = u;
      done[v] = true;
      if (v >= n && free[v - n] > 0) return { length, before, end: v };
      const relax = (u, by) => {
        if (!done[u] && length[v] + by < length[u]) {
          length[u] = length[v] + by;
          before[u] = v;
        }
      };
      if (v < n) free.forEach((_, j) => relax(n + j, Math.max(0, d[v][j] - f[v] - g[j])));
      else left.forEach((_, i) => flow[i][v - n] > 0 && relax(i, 0));
    }
  }

  /** Start successive shortest paths at an empty plan and prices 0, which are feasible because d >= 0. */
  function startRun(d, p, q) {
    checked(d, p, q);
    const flow = table(p.length, q.length, () => 0);
    const zeros = (side) => side.map(() => 0);
    return { d, p, q, flow, f: zeros(p), g: zeros(q), left: wholeUnits(p), free: wholeUnits(q), steps: 0, done: false, path: [] };
  }

  /** One augmentation: raise prices until a path of slack 0 leads to a column with room, and send mass along it.
   * Throughout, f + g <= d, and slack is 0 wherever the plan has mass. Returns the new run. */
  function step(run) {
    if (run.done) return run;
    const { d, p } = run;
    const n = p.length;
    const { length, before, end } = shortestPath(run);
    const far = length[end];
    const f = run.f.map((price, i) => price + far - Math.min(length[i], far));
    const g = run.g.map((price, j) => price - far + Math.min(length[n + j], far));
    const path = [end];
    while (before[path[0]] >= 0) path.unshift(before[path[0]]);
    const arcs = path.slice(1).map((v, k) => (v >= n ? [path[k], v - n, 1] : [v, path[k] - n, -1]));
    const back = arcs.filter((arc) => arc[2] < 0).map(([i, j]) => run.flow[i][j]);
    const mass = Math.min(run.left[path[0]], run.free[end - n], ...back);
    const flow = run.flow.map((row) => row.slice());
    arcs.forEach(([i, j, sign]) => { flow[i][j] += sign * mass; });
    const left = run.left.slice();
    const free = run.free.slice();
    left[path[0]] -= mass;
    free[end - n] -= mass;
    const done = left.every((units) => units === 0);
    return { ...run, flow, f, g, left, free, path: arcs, sent: mass / MASS_UNITS, steps: run.steps + 1, done };
  }

  /** The plan of a run; what is not yet sent is added by the corner rule, so that it is a plan at every step. */
  function planOf(run) {
    const total = sum(run.p);
    const rest = cornerPlan(run.left, run.free);
    return run.flow.map((row, i) => row.map((units, j) => ((units + rest[i][j]) / MASS_UNITS) * total));
  }

  /** Run to the end: {plan, f, g, steps, value, certificate}. */
  function solve(d, p, q) {
    let run = startRun(d, p, q);
    while (!run.done) run = step(run);
    const plan = planOf(run);
    const { f, g } = raised(d, run.f);
    return { plan, f, g, steps: run.steps, value: planCost(d, plan), certificate: certificate(d, p, q, plan, f, g) };
  }

  /** KL(p || q) = sum p log(p / q) in nats; Infinity where q has no mass under p. */
  function kl(p, q) {
    return sum(p.map((mass, i) => (mass === 0 ? 0 : q[i] === 0 ? Infinity : mass * Math.log(mass / q[i]))));
  }

  /** Jensen-Shannon divergence in nats, at most log 2: half of KL to the middle from either side. */
  function js(p, q) {
    const middle = p.map((mass, i) => (mass + q[i]) / 2);
    return (kl(p, middle) + kl(q, middle)) / 2;
  }

  /** Two vertical bars of n points each, at x = 0 and x = theta: {kl, js, w1}, each computed from its definition. */
  function twoBars(theta, n = 8) {
    const bar = (x) => Array.from({ length: n }, (_, i) => [x, (i + 0.5) / n]);
    const places = theta === 0 ? bar(0) : [...bar(0), ...bar(theta)];
    const mass = new Array(n).fill(1 / n);
    const none = new Array(places.length - n).fill(0);
    const [p, q] = [[...mass, ...none], [...none, ...mass]];
    return { kl: kl(p, q), js: js(p, q), w1: solve(distances(bar(0), bar(theta)), mass, mass).value };
  }

  return {
    distances, planCost, income, slack, excess, shifted, raised, centred, independentPlan, cornerPlan, certificate,
    startRun, step, planOf, solve, kl, js, twoBars, sum, TOLERANCE,
  };
})();

if (typeof module !== "undefined") module.exports = Model;
