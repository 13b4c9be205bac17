// The tables: sorted by a heading, filtered by column, a page at a time; a row chooses its cell.

const ROWS = 50;
const tables = { mean: { sort: ["", 1], filters: {}, page: 0 }, fits: { sort: ["", 1], filters: {}, page: 0 } };
let lastRows = { key: "", rows: [], columns: [] };

const MEAN_COLUMNS = [
  "tau", "tau_low", "tau_high", "tau_limit", "tau_sd", "n_accepted", "rate", "rate_se", "rate_low", "rate_high", "scatter", "tau_pred_low", "tau_pred_high", "q_value",
  "n_storms", "n_resolved", "n_limits", "n_growth", "n_lost",
];
const THEORY_COLUMNS = ["rate_predicted", "rate_predicted_low", "rate_predicted_high", "ratio", "ratio_low", "ratio_high"];
const FIT_COLUMNS = ["rate", "rate_se", "rate_low", "rate_high"];
const POINT_COLUMNS = ["n", "n_eff", "rho", "r2", "start", "stop", "floor", "index_change"];
const CELL = [{ name: "energy", unit: "keV", meaning: "energy" }, { name: "L", unit: "", meaning: "L-shell" }];

/** Columns and rows of the mean over storms: a row for each cell with a fit, or a flag that says why not. */
function meanTable() {
  const [c, p] = [choiceNumber(), probeNumber()];
  const own = c === 0 && state.probe === said.about.probe;
  const means = MEAN_COLUMNS.filter((name) => has(`mean/${c}`, name));
  // The ratio is of the run's own mean.
  const theories = THEORY_COLUMNS.filter((name) => own || !name.startsWith("ratio"));
  const columns = [
    ...CELL, ...[...means, ...theories].map((name) => column("mean", name)),
    ...(own ? [{ name: "verdict", words: true, meaning: "what the observation says of the prediction" }] : []),
    { name: "flag_meanings", words: true, meaning: "the flag in words" },
  ];
  const rows = [];
  for (const [e, l] of CELLS) {
    const bits = value(`mean/${c}`, "flag", p, e, l);
    if (!(value(`mean/${c}`, "n_storms", p, e, l) > 0) && !(bits & ~said.flags.mean.no_fits)) continue;
    rows.push({ e, l, s: -1, cells: [
      said.energy[e], said.L[l], ...means.map((name) => value(`mean/${c}`, name, p, e, l)), ...theories.map((name) => value("theory", name, e, l)),
      ...(own ? [said.verdicts[value("theory", "verdict", e, l)] ?? ""] : []), flagWords(bits, said.flags.mean),
    ] });
  }
  return { columns, rows };
}

/** Columns and rows of the fits: a row for each storm and cell with something to fit. */
function fitTable() {
  const [c, p] = [choiceNumber(), probeNumber()];
  const points = `points/${choice().points}`;
  const more = POINT_COLUMNS.filter((name) => has(points, name));
  const days = { start: "days from the minimum", stop: "days from the minimum" };
  const columns = [
    { name: "storm", meaning: "number of the storm in the catalogue" }, { name: "onset", unit: "UTC", words: true }, ...CELL,
    { name: "kind", words: true, meaning: "resolved, limit, growth, lost (to the floor) or none" },
    ...["tau", "tau_low", "tau_high", "tau_limit", ...FIT_COLUMNS].map((name) => column("fits", name)),
    ...more.map((name) => column("fits", name, name in days ? { unit: days[name] } : {})), { name: "flag_meanings", words: true, meaning: "the flag in words" },
  ];
  const nothingThere = said.flags.fit.no_window | said.flags.fit.too_few_points;
  const masked = choice().own ? [] : ["not_resolved", "growth", "not_accepted"];
  const rows = [];
  said.storms.forEach((one, s) => {
    if (onlyStorm() && s !== state.storm) return;
    for (const [e, l] of CELLS) {
      if (onlyCell() && (e !== state.e || l !== state.l)) continue;
      const bits = value(points, "flag", s, p, e, l);
      if (!(value(points, "n", s, p, e, l) > 0) && !(bits & ~nothingThere)) continue;
      const tau = fitTau(c, s, p, e, l);
      rows.push({ e, l, s, cells: [
        one.storm, one.onset, said.energy[e], said.L[l], tau.kind, tau.tau, tau.low, tau.high, tau.limit,
        ...FIT_COLUMNS.map((name) => value(`fits/${c}`, name, s, p, e, l)), ...more.map((name) => value(points, name, s, p, e, l)),
        flagWords(bits, said.flags.fit, masked),
      ] });
    }
  });
  return { columns, rows };
}

function onlyCell() {
  return document.getElementById("only-cell").checked;
}

function onlyStorm() {
  return document.getElementById("only-storm").checked;
}

/** Make a test of a filter's text; null if it cannot be read. What stands in a cell is found, as well as what stands in the file. */
function filterTest(text, words) {
  // A word may break after each _, which a copied one shows; and a minus may be the one of the page.
  const wanted = text.trim().toLowerCase().replaceAll("\u200b", "").replaceAll(MINUS, "-");
  if (wanted === "none") return (x) => (words ? ["", "none"].includes(x) : Number.isNaN(x));
  if (words) return (x) => [x, wordsOf(x).replaceAll("\u200b", "")].some((one) => one.toLowerCase().includes(wanted));
  const tests = [];
  for (const part of wanted.replace(/([<>=]+)\s+/g, "$1").split(/\s+/)) {
    const compared = /^(<=|>=|<|>|=)?([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?inf)$/.exec(part);
    const between = /^([-+]?[\d.e]+?)\.\.([-+]?[\d.e]+)$/.exec(part);
    if (compared) {
      const limit = compared[2].endsWith("inf") ? (compared[2].startsWith("-") ? -Infinity : Infinity) : Number(compared[2]);
      const typed = number(limit, 15);
      const same = (x) => number(x) === typed || (Number.isFinite(limit) && Math.abs(x - limit) <= 1e-6 * Math.abs(limit));
      tests.push({ "<": (x) => x < limit, ">": (x) => x > limit, "<=": (x) => x < limit || same(x), ">=": (x) => x > limit || same(x) }[compared[1]] ?? same);
    } else if (between && Number.isFinite(Number(between[1])) && Number.isFinite(Number(between[2]))) {
      const [low, high] = [Number(between[1]), Number(between[2])];
      tests.push((x) => x >= low - 1e-6 * Math.abs(low) && x <= high + 1e-6 * Math.abs(high));
    } else {
      return null;
    }
  }
  return (x) => tests.every((test) => test(x));
}

/** Rows of the chosen table as filtered and sorted, its columns, how many rows there are in all, and the filters that could be applied. */
function shownTable() {
  const key = JSON.stringify([state.table, state.mode, state.estimator, state.probe, onlyCell() && [state.e, state.l], onlyStorm() && state.storm]);
  if (lastRows.key !== key) lastRows = { key, ...(state.table === "mean" ? meanTable() : fitTable()) };
  const { columns } = lastRows;
  let { rows } = lastRows;
  const { filters, sort: [by, sign] } = tables[state.table];
  if (state.table === "mean" && onlyCell()) rows = rows.filter((row) => row.e === state.e && row.l === state.l);
  const applied = [];
  columns.forEach(({ name, words }, k) => {
    const test = filters[name] ? filterTest(filters[name], words) : null;
    if (!test) return;
    applied.push(`${name} ${filters[name]}`);
    rows = rows.filter((row) => test(row.cells[k]));
  });
  const at = columns.findIndex(({ name }) => name === by);
  if (at >= 0) {
    const { words } = columns[at];
    // What is not known comes last, whichever way.
    const order = (a, b) => (words ? a.localeCompare(b) : a < b ? -1 : a > b ? 1 : 0);
    const missing = (x) => (words ? x === "" : Number.isNaN(x));
    rows = [...rows].sort((a, b) => {
      const [x, y] = [a.cells[at], b.cells[at]];
      return missing(x) - missing(y) || (missing(x) ? 0 : sign * order(x, y));
    });
  }
  return { columns, rows, all: lastRows.rows.length, applied };
}

/** Make the heading of the chosen table anew, with its filters. */
function drawTableHead() {
  const { columns } = shownTable();
  const mine = tables[state.table];
  const heads = columns.map(({ name, unit, meaning, words }) => element("th",
    { scope: "col", class: words ? "words" : "", "data-column": name, "aria-sort": "none", title: meaning || name },
    element("button", { type: "button", onclick: () => sortBy(name) }, name, element("span", { class: "arrow", "aria-hidden": "true" })),
    element("small", {}, unit && unit !== "1" ? unit : "\u00a0"),
  ));
  const unreadable = (name, words) => String(Boolean(mine.filters[name]) && filterTest(mine.filters[name], words) === null);
  const filters = columns.map(({ name, words }) => {
    const box = element("input", {
      type: "text", "aria-label": `filter ${name}`, placeholder: words ? "part" : ">\u2009\u2026", value: mine.filters[name] ?? "", autocomplete: "off", spellcheck: "false",
      "data-filter": name, "aria-invalid": unreadable(name, words),
      oninput: (event) => {
        mine.filters[name] = event.target.value.trim();
        event.target.setAttribute("aria-invalid", unreadable(name, words));
        mine.page = 0;
        drawTableBody();
      },
    });
    return element("th", { class: words ? "words" : "" }, box);
  });
  document.querySelector("#table thead").replaceChildren(element("tr", {}, ...heads), element("tr", {}, ...filters));
  document.getElementById("only-storm-label").hidden = state.table !== "fits";
  for (const button of document.querySelectorAll("[data-table]")) button.setAttribute("aria-pressed", String(button.dataset.table === state.table));
}

function sortBy(name) {
  const mine = tables[state.table];
  mine.sort = [name, mine.sort[0] === name ? -mine.sort[1] : 1];
  mine.page = 0;
  drawTableBody();
}

function drawTableBody() {
  const mine = tables[state.table];
  const { columns, rows, all } = shownTable();
  mine.page = Math.max(0, Math.min(mine.page, Math.ceil(rows.length / ROWS) - 1));
  const shown = rows.slice(mine.page * ROWS, (mine.page + 1) * ROWS);
  document.querySelector("#table tbody").replaceChildren(...shown.map((row) => element("tr",
    { tabindex: "0", "aria-selected": String(isChosen(row)), "data-cell": `${row.e},${row.l},${row.s}` },
    ...row.cells.map((one, k) => element("td", { class: columns[k].words ? "words" : "" }, wordsOf(one))),
  )));
  for (const head of document.querySelectorAll("#table thead th[data-column]")) {
    const sorted = head.dataset.column === mine.sort[0];
    head.setAttribute("aria-sort", !sorted ? "none" : mine.sort[1] > 0 ? "ascending" : "descending");
    head.querySelector(".arrow").textContent = !sorted ? "" : mine.sort[1] > 0 ? " \u25b2" : " \u25bc";
  }
  document.getElementById("table-says").textContent = `${rows.length} of ${all} rows: ${choiceName(choice())}, ${state.probe}${said.about.simulated ? ", SIMULATED" : ""}`;
  drawTablePager(rows.length, mine);
}

function wordsOf(given) {
  if (typeof given === "number") return number(given);
  return /^\d{4}-\d\d-\d\dT/.test(given) ? minute(given) : given.replaceAll("_", "_\u200b");
}

function isChosen(row) {
  return row.e === state.e && row.l === state.l && (row.s < 0 || row.s === state.storm);
}

function drawTablePager(n, mine) {
  const pages = Math.ceil(n / ROWS);
  const turn = (to) => () => { mine.page = to; drawTableBody(); };
  if (pages < 2) { document.getElementById("table-pager").replaceChildren(); return; }
  fillPager("table-pager", `rows ${mine.page * ROWS + 1}\u2013${Math.min(n, (mine.page + 1) * ROWS)} of ${n}`, [
    { "aria-label": "Page before", disabled: mine.page === 0, onclick: turn(mine.page - 1) },
    { "aria-label": "Page after", disabled: mine.page >= pages - 1, onclick: turn(mine.page + 1) },
  ]);
}

/** Turn to the page that the chosen cell's row is on. */
function followCell() {
  const { rows } = shownTable();
  const at = rows.findIndex(isChosen);
  if (at >= 0) tables[state.table].page = Math.floor(at / ROWS);
}

function saveTable() {
  const { columns, rows, applied: filters } = shownTable();
  const title = state.table === "mean" ? "Decay times, mean over storms: a row an energy and L-shell" : "Fits: a row a storm, energy and L-shell";
  if (onlyCell()) filters.push(cellName(state.e, state.l));
  if (onlyStorm() && state.table === "fits") filters.push(`storm ${storm(state.storm).storm}`);
  saveCsv(state.table === "mean" ? "lifetimes" : "fits", title, columns, rows.map((row) => row.cells), filters.length ? [`filtered: ${filters.join("; ")}`] : []);
}

function startTable() {
  const body = document.querySelector("#table tbody");
  const pick = (event) => {
    const row = event.target.closest("tr");
    if (!row) return;
    const [e, l, s] = row.dataset.cell.split(",").map(Number);
    const place = [...body.children].indexOf(row);
    choose(s < 0 ? { e, l } : { e, l, storm: s });
    if (event.type === "keydown") body.children[place]?.focus();
  };
  body.addEventListener("click", pick);
  body.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pick(event); }
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (step && event.target[step]) { event.preventDefault(); event.target[step].focus(); }
  });
  for (const button of document.querySelectorAll("[data-table]")) button.addEventListener("click", () => choose({ table: button.dataset.table }));
  for (const id of ["only-cell", "only-storm"]) document.getElementById(id).addEventListener("change", drawTableBody);
  document.getElementById("clear-filters").addEventListener("click", () => {
    tables[state.table].filters = {};
    for (const id of ["only-cell", "only-storm"]) document.getElementById(id).checked = false;
    drawTableHead();
    drawTableBody();
  });
  document.getElementById("save-table").addEventListener("click", saveTable);
}
