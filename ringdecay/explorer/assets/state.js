// What is chosen, and how it stands in the address after the #, so that a view can be passed on.

const state = {};

/** Position of the choice of fits with a mode and an estimator, or -1. */
function choiceOf(mode, estimator) {
  return said.choices.findIndex((one) => one.mode === mode && one.estimator === estimator);
}

function choiceNumber() {
  return choiceOf(state.mode, state.estimator);
}

function choice() {
  return said.choices[choiceNumber()];
}

function probeNumber() {
  return said.probes.indexOf(state.probe);
}

/** Position of the value that is nearest. */
function nearest(values, wanted) {
  let best = 0;
  values.forEach((one, k) => { if (Math.abs(one - wanted) < Math.abs(values[best] - wanted)) best = k; });
  return best;
}

/** The cell to begin with: resolved and in the middle of those that are. */
function firstCell(c, p) {
  const resolved = CELLS.filter(([e, l]) => said.kinds[value(`mean/${c}`, "kind", p, e, l)] === "resolved");
  return resolved.length ? resolved[Math.floor(resolved.length / 2)] : [0, 0];
}

function firstState() {
  const first = said.choices[0];
  const p = Math.max(0, said.probes.indexOf(said.about.probe));
  const [e, l] = firstCell(0, p);
  const depths = said.storms.map((one) => one.depth);
  return {
    mode: first.mode, estimator: first.estimator, probe: said.probes[p], e, l, storm: Math.max(0, depths.indexOf(Math.min(...depths))),
    view: "cell", table: "mean", quantity: "tau",
  };
}

/** Mend a state in which the parts do not go together: a mode has its own estimators, and these their own probes. */
function mended(wanted) {
  const out = { ...wanted };
  const modes = said.choices.map((one) => one.mode);
  if (!modes.includes(out.mode)) out.mode = modes[0];
  if (choiceOf(out.mode, out.estimator) < 0) out.estimator = said.choices.find((one) => one.mode === out.mode).estimator;
  const { probes } = said.choices[choiceOf(out.mode, out.estimator)];
  // Where nothing could be fitted, no probe is better than another.
  const known = probes.length ? probes : said.probes;
  if (!known.includes(out.probe)) out.probe = known.includes(said.about.probe) ? said.about.probe : known[0];
  out.e = Math.min(Math.max(0, out.e), said.energy.length - 1);
  out.l = Math.min(Math.max(0, out.l), said.L.length - 1);
  out.storm = Math.min(Math.max(0, out.storm), Math.max(0, said.storms.length - 1));
  return out;
}

/** Read the state from the address. */
function fromHash() {
  const given = new URLSearchParams(location.hash.slice(1));
  const out = firstState();
  for (const name of ["mode", "estimator", "probe"]) if (given.has(name)) out[name] = given.get(name);
  for (const [name, known] of [["view", ["cell", "storm"]], ["table", ["mean", "fits"]], ["quantity", ["tau", "n_storms"]]]) {
    if (known.includes(given.get(name))) out[name] = given.get(name);
  }
  const energy = Number.parseFloat(given.get("energy"));
  const shell = Number.parseFloat(given.get("L"));
  if (Number.isFinite(energy)) out.e = nearest(said.energy, energy);
  if (Number.isFinite(shell)) out.l = nearest(said.L, shell);
  const numbered = said.storms.findIndex((one) => String(one.storm) === given.get("storm"));
  if (numbered >= 0) out.storm = numbered;
  return mended(out);
}

function toHash() {
  const { mode, estimator, probe, view, table, quantity } = state;
  const cell = { energy: number(said.energy[state.e], 6), L: number(said.L[state.l], 6) };
  const numbered = said.storms.length ? { storm: storm(state.storm).storm } : {};
  return `#${new URLSearchParams({ mode, estimator, probe, ...cell, ...numbered, view, table, quantity })}`;
}

/** Change what is chosen, put it in the address, and draw what depends on it. */
function choose(changes) {
  const next = mended({ ...state, ...changes });
  const changed = Object.keys(next).filter((name) => next[name] !== state[name]);
  Object.assign(state, next);
  history.replaceState(null, "", toHash());
  draw(new Set(changed));
}
