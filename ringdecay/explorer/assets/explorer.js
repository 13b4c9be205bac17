// The page: what is drawn anew when something is chosen, and how it begins.

/** Draw what depends on what has changed. */
function draw(changed) {
  const any = (...names) => names.some((name) => changed.has(name));
  const fits = any("mode", "estimator", "probe");
  const cell = any("e", "l");
  if (fits || cell || any("storm")) fillChoices();
  if (fits || cell || any("quantity")) drawMap();
  if (any("view")) showView();
  // Also while the other view is looked at.
  if (any("storm")) firstPanel = Math.floor(state.storm / PANELS) * PANELS;
  if (state.view === "cell") {
    if (fits || cell || any("view")) drawCellFacts();
    if (fits || cell || any("view", "storm")) drawRates();
    if (fits || cell || any("view", "storm")) drawSeries();
  } else {
    if (fits || any("view", "storm")) { drawStormFacts(); drawStormIndex(); }
    if (fits || cell || any("view", "storm")) { drawStormMap(); drawStormSeries(); }
  }
  listen(state.view);
  if (fits || any("table")) drawTableHead();
  if (fits || cell || any("table", "storm")) { followCell(); drawTableBody(); }
}

function showView() {
  for (const view of ["cell", "storm"]) {
    const tab = document.getElementById(`tab-${view}`);
    tab.setAttribute("aria-selected", String(view === state.view));
    tab.tabIndex = view === state.view ? 0 : -1;
    document.getElementById(`view-${view}`).hidden = view !== state.view;
  }
}

function fillSelect(id, options, chosen) {
  const select = document.getElementById(id);
  select.replaceChildren(...options.map(([given, text, disabled]) => element("option", { value: given, disabled: Boolean(disabled) }, text)));
  select.value = chosen;
  select.disabled = options.length < 2;
}

function fillChoices() {
  const modes = [...new Set(said.choices.map((one) => one.mode))];
  fillSelect("mode", modes.map((one) => [one, one]), state.mode);
  const estimators = said.choices.filter((one) => one.mode === state.mode).map((one) => one.estimator);
  fillSelect("estimator", estimators.map((one) => [one, one.replaceAll("_", " ")]), state.estimator);
  fillSelect("probe", said.probes.map((one) => [one, one, !choice().probes.includes(one)]), state.probe);
  fillSelect("storm", said.storms.map((one, s) => [s, `${one.storm}: ${day(one.minimum)}, ${number(one.depth)} ${said.about.index_unit}`]), state.storm);
  fillSelect("energy", said.energy.map((one, e) => [e, `${number(one)} keV`]), state.e);
  fillSelect("shell", said.L.map((one, l) => [l, number(one)]), state.l);
  document.getElementById("quantity").value = state.quantity;
}

function aboutText() {
  const { about } = said;
  const own = said.choices[0];
  const others = said.choices.slice(1).map(choiceName);
  const paragraphs = [
    `Decay times (e-folding) of the flux after each storm: ${about.source}. Intervals and limits are ${percent(about.confidence)}. All numbers are those of the run's files, here with 32 bits; flux and the rates of compared estimators have five digits, the counting error of flux three.`,
    `The run's own means over storms, as in lifetimes.csv, are those of mode ${own.mode}, estimator ${own.estimator}, probe ${about.probe}.${others.length ? ` The means of the other probes and choices (${others.join("; ")}) were found in the same way when this page was made, without predictions for the next storm, and stand in no other file. Of a compared estimator only the rates are kept: points, windows, floors and the curves drawn are those of ${own.estimator}.` : ""}`,
    about.theory_source ? `Theory is the loss by charge exchange and Coulomb drag over the models in use: ${about.theory_source}.` : "",
    about.simulated ? "SIMULATED: made from a demonstration archive with known decay times, not from measurements." : "",
  ].filter(Boolean).map((text) => element("p", {}, text));
  const list = element("dl", {});
  for (const [name, text] of Object.entries(about.attributes)) list.append(element("dt", {}, name.replaceAll("_", " ")), element("dd", {}, text));
  document.getElementById("about-text").replaceChildren(...paragraphs, list);
}

function startChoices() {
  // Another mode begins with its own estimator.
  document.getElementById("mode").addEventListener("change", ({ target: { value: mode } }) => choose({ mode, estimator: said.choices.find((one) => one.mode === mode).estimator }));
  for (const name of ["estimator", "probe"]) document.getElementById(name).addEventListener("change", (event) => choose({ [name]: event.target.value }));
  for (const [id, name] of [["storm", "storm"], ["energy", "e"], ["shell", "l"]]) {
    document.getElementById(id).addEventListener("change", (event) => choose({ [name]: Number(event.target.value) }));
  }
  document.getElementById("choose").addEventListener("submit", (event) => event.preventDefault());
  for (const tab of document.querySelectorAll('[role="tab"]')) {
    tab.addEventListener("click", () => choose({ view: tab.dataset.view }));
    tab.addEventListener("keydown", (event) => {
      if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
      choose({ view: state.view === "cell" ? "storm" : "cell" });
      document.getElementById(`tab-${state.view}`).focus();
    });
  }
  document.getElementById("save-rates").addEventListener("click", saveRates);
  document.getElementById("save-series").addEventListener("click", () => saveSeries(said.storms.map((_, s) => s), "series"));
  document.getElementById("save-storm-series").addEventListener("click", () => saveSeries([state.storm], `storm_${storm(state.storm).storm}_series`));
  document.getElementById("save-index").addEventListener("click", saveIndex);
}

const listening = new Set();

/** Listen to clicks inside the figures of a view; Plotly knows of them only after the first drawing. */
function listen(view) {
  if (listening.has(view)) return;
  listening.add(view);
  const chosen = ({ points }) => {
    const given = points[0].customdata;
    if (Array.isArray(given)) choose({ e: given[0], l: given[1] });
    else if (Number.isInteger(given)) choose({ storm: given });
  };
  for (const id of view === "cell" ? ["rates", "series"] : ["storm-index"]) document.getElementById(id).on("plotly_click", chosen);
  if (view === "storm") onCellClick("storm-map", (e, l) => choose({ e, l }));
}

const ALL = new Set(["mode", "estimator", "probe", "e", "l", "storm", "view", "table", "quantity"]);

async function start() {
  if (!said.storms.length) throw new Error("This run has no storms: there is nothing to look into.");
  await unpackAll();
  Object.assign(state, fromHash());
  cursor = [state.e, state.l];
  document.getElementById("main").setAttribute("aria-busy", "false");
  draw(ALL);
  startMap();
  startChoices();
  startTable();
  aboutText();
  history.replaceState(null, "", toHash());
  window.addEventListener("hashchange", () => { Object.assign(state, fromHash()); cursor = [state.e, state.l]; draw(ALL); });
  let waiting;
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(() => draw(ALL), 150);
  });
  document.documentElement.dataset.ready = "yes";
}

start().catch((error) => {
  const box = document.getElementById("trouble");
  box.textContent = error.message;
  box.hidden = false;
  document.getElementById("main").hidden = true;
  throw error;
});
