// One cell: the rates of all storms, their mean and the theory, and the flux after each storm.

const PANELS = 12;
let firstPanel = 0;

function isPaper() {
  return has(`mean/${choiceNumber()}`, "tau_sd");
}

function accepted(s, p, e, l) {
  return !(value(`points/${choice().points}`, "flag", s, p, e, l) & said.flags.fit.not_accepted) || !isPaper();
}

/** Everything of the fits of a cell, a record a storm. */
function cellFits(e, l) {
  const [c, p] = [choiceNumber(), probeNumber()];
  return said.storms.map((one, s) => ({
    s, storm: one.storm, onset: one.onset, ...fitTau(c, s, p, e, l), accepted: accepted(s, p, e, l),
    rate: value(`fits/${c}`, "rate", s, p, e, l), rate_se: value(`fits/${c}`, "rate_se", s, p, e, l),
    rate_low: value(`fits/${c}`, "rate_low", s, p, e, l), rate_high: value(`fits/${c}`, "rate_high", s, p, e, l),
  }));
}

function drawCellFacts() {
  const [c, p, e, l] = [choiceNumber(), probeNumber(), state.e, state.l];
  const get = (name) => value(`mean/${c}`, name, p, e, l);
  const theory = (name) => value("theory", name, e, l);
  const tau = meanTau(c, p, e, l);
  const interval = isPaper() ? "standard deviation of the fits" : `${percent(said.about.confidence)} interval`;
  const what = Number.isFinite(tau.limit) && tau.kind !== "growth" ? `Decay time: one-sided ${percent(said.about.confidence)} limit` : `Decay time (${interval})`;
  const own = c === 0 && state.probe === said.about.probe;
  const band = [inverse(theory("rate_predicted_high")), inverse(theory("rate_predicted_low"))];
  const text = tauText(tau);
  document.getElementById("cell-title").textContent = `${cellName(e, l)}: ${choiceName(choice())}, ${state.probe}`;
  fillFacts("cell-facts", [
    [what, text && text !== "growing" ? `${text} d` : text || "no result"],
    ["Mean rate (1/day)", isPaper() ? "" : `${number(get("rate"), 3)} (${number(get("rate_low"), 3)} to ${number(get("rate_high"), 3)})`.replace(" ( to )", "")],
    ["Storms", isPaper() ? `${number(get("n_accepted"))} accepted of ${number(get("n_storms"))}`
      : `${number(get("n_storms"))} fitted: ${number(get("n_resolved"))} resolved, ${number(get("n_limits"))} limits, ${number(get("n_growth"))} growing`],
    ["Lost to the floor", get("n_lost") > 0 ? number(get("n_lost")) : ""],
    ["Scatter between storms (1/day)", number(get("scatter"), 3)],
    ["Theory (days)", Number.isFinite(theory("rate_predicted")) ? `${number(inverse(theory("rate_predicted")), 3)} (${number(band[0], 3)} to ${number(band[1], 3)})` : ""],
    ["Against theory", own ? (said.verdicts[theory("verdict")] ?? "").replaceAll("_", " ") : ""],
    ["Flags", flagWords(get("flag"), said.flags.mean).replaceAll("_", " ").replaceAll(" ", "\u00a0")],
  ]);
}

const MARKS = {
  resolved: { color: BLUE, symbol: "circle", size: 8 },
  limit: { color: BLUE, symbol: "circle-open", size: 8, line: { width: 1.6 } },
  growth: { color: VERMILION, symbol: "x", size: 8 },
};

/** Draw the rates of all storms with intervals; in mode paper their decay times. */
function drawRates() {
  const { e, l } = state;
  const [c, p] = [choiceNumber(), probeNumber()];
  const get = (name) => value(`mean/${c}`, name, p, e, l);
  const theory = (name) => value("theory", name, e, l);
  const paper = isPaper();
  const fits = cellFits(e, l);
  const known = fits.filter((fit) => Number.isFinite(paper ? fit.tau : fit.rate));
  const y = (fit) => (paper ? fit.tau : fit.rate);
  const ends = (fit) => (paper ? [fit.low, fit.high] : [fit.rate_low, fit.rate_high]);
  const [lower, middle, upper] = paper
    ? [get("tau") - get("tau_sd"), get("tau"), get("tau") + get("tau_sd")] : [get("rate_low"), get("rate"), get("rate_high")];
  const band = [theory("rate_predicted_low"), theory("rate_predicted_high")];
  const [bandLow, bandMiddle, bandHigh] = paper
    ? [inverse(band[1]), inverse(theory("rate_predicted")), inverse(band[0])] : [band[0], theory("rate_predicted"), band[1]];
  const most = Math.max(...known.map(y).map(Math.abs), ...[lower, upper, bandMiddle].filter(Number.isFinite).map(Math.abs), 1e-3);
  const clip = (x) => Math.min(Math.max(x, -50 * most), 50 * most);
  const groups = paper
    ? [["accepted", known.filter((fit) => fit.accepted), MARKS.resolved], ["not accepted", known.filter((fit) => !fit.accepted), MARKS.limit]]
    : [["resolved", "resolved"], ["not resolved", "limit"], ["growing", "growth"]].map(([name, kind]) => [name, known.filter((fit) => fit.kind === kind), MARKS[kind]]);
  const traces = groups.filter(([, group]) => group.length).map(([name, group, marker]) => ({
    type: "scatter", mode: "markers", name, x: group.map((fit) => fit.s), y: group.map(y), marker, customdata: group.map((fit) => fit.s),
    error_y: {
      type: "data", symmetric: false, thickness: 1.2, width: 0, color: marker.color,
      array: group.map((fit) => clip(ends(fit)[1]) - y(fit)), arrayminus: group.map((fit) => y(fit) - clip(ends(fit)[0])),
    },
    text: group.map((fit) => `storm ${fit.storm}, ${day(fit.onset)}<br>rate ${number(fit.rate, 3)} (${number(fit.rate_low, 3)} to ${number(fit.rate_high, 3)}) 1/day<br>${tauSaid(fit)}`),
    hovertemplate: "%{text}<extra></extra>",
  }));
  const across = { xref: "paper", x0: 0, x1: 1, layer: "below" };
  const shapes = [];
  if (Number.isFinite(bandLow)) {
    shapes.push({ type: "rect", ...across, y0: clip(bandLow), y1: clip(bandHigh), fillcolor: "rgba(90,90,90,0.16)", line: { width: 0 } });
    shapes.push({ type: "line", ...across, y0: bandMiddle, y1: bandMiddle, line: { color: "#5a5a5a", width: 1.2, dash: "dash" } });
  }
  if (Number.isFinite(middle)) {
    if (Number.isFinite(lower) && Number.isFinite(upper)) shapes.push({ type: "rect", ...across, y0: paper ? Math.max(lower, middle / 100) : lower, y1: upper, fillcolor: "rgba(213,94,0,0.18)", line: { width: 0 } });
    shapes.push({ type: "line", ...across, y0: middle, y1: middle, line: { color: VERMILION, width: 2 } });
  }
  if (!paper) shapes.push({ type: "line", ...across, y0: 0, y1: 0, line: LINE });
  if (known.length) shapes.push({ type: "line", yref: "paper", y0: 0, y1: 1, x0: state.storm, x1: state.storm, layer: "below", line: { color: SKY, width: 8 }, opacity: 0.25 });
  const tops = [...known.map((fit) => Math.min(ends(fit)[1], 2.2 * most)), upper, Math.min(bandHigh, 1.3 * most)].filter(Number.isFinite);
  const bottoms = [...known.map((fit) => Math.max(ends(fit)[0], -2.2 * most)), lower, 0].filter(Number.isFinite);
  const [top, bottom] = [Math.max(...tops, 1e-3), Math.min(...bottoms)];
  const pad = 0.06 * (top - bottom);
  const positive = [...known.map((fit) => fit.tau), ...known.map((fit) => fit.low), lower, middle, upper, bandLow].filter((x) => x > 0 && Number.isFinite(x));
  const scale = paper
    ? logAxis("decay time (days)", Math.min(...positive, 10) / 1.3, Math.max(...positive, 1) * 1.3) : axis("rate (1/day)", { range: [bottom - pad, top + pad] });
  const every = Math.max(1, Math.ceil(said.storms.length / (narrow() ? 12 : 30)));
  const ticks = said.storms.map((_, s) => s).filter((s) => s % every === 0);
  document.getElementById("rates-title").textContent = paper ? "Decay time of each storm" : "Rate of each storm";
  document.getElementById("rates-note").replaceChildren(...ratesNote(fits, paper, Number.isFinite(middle), Number.isFinite(bandLow)));
  return Plotly.react("rates", traces, layout({
    height: 250, shapes,
    xaxis: axis("storm", { range: [-0.6, said.storms.length - 0.4], tickvals: ticks, ticktext: ticks.map((s) => String(storm(s).storm)), showgrid: false }),
    yaxis: scale,
    annotations: known.length ? [] : [nothing("No storm has a fit here.")],
  }), CONFIG);
}

function nothing(text) {
  return { text, showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5, font: { color: "#5a5a5a" } };
}

function ratesNote(fits, paper, mean, theory) {
  const lost = fits.filter((fit) => fit.kind === "lost").map((fit) => fit.storm);
  const interval = `${percent(said.about.confidence)} intervals`;
  const parts = paper
    ? [`Filled: accepted (correlation at most ${number(said.about.r_max)}).`]
    : [`Bars: ${interval}. Hollow: decay not resolved; crosses: flux grows.`];
  if (mean) parts.push(paper ? "Orange: mean of the accepted with their standard deviation." : "Orange: mean over storms with its interval.");
  if (theory) parts.push("Grey: charge exchange and Coulomb drag, all models (dashed: their median).");
  if (lost.length) parts.push(`No rate, lost to the floor: storm ${lost.join(", ")}.`);
  return [parts.join(" ")];
}

/** The traces, shapes and heading of one storm's flux in the axes number `k` (from 1) of a figure. */
function fluxPanel(s, e, l, k, bottom) {
  const [c, p] = [choiceNumber(), probeNumber()];
  const points = (name) => value(`points/${choice().points}`, name, s, p, e, l);
  const [start, stop, floor, level] = [points("start"), points("stop"), points("floor"), points("log_flux_start")];
  const rate = value(`fits/${choiceOfPoints()}`, "rate", s, p, e, l);
  const axes = { xaxis: k === 1 ? "x" : `x${k}`, yaxis: k === 1 ? "y" : `y${k}` };
  const traces = [];
  const add = (series, keep, colour, name) => {
    const chosen = series.days.map((t, i) => i).filter((i) => keep(series.days[i]) && series.flux[i] > 0);
    const zero = series.days.map((t, i) => i).filter((i) => keep(series.days[i]) && series.flux[i] === 0);
    if (chosen.length) {
      traces.push({
        type: "scatter", mode: "markers", name, ...axes, x: chosen.map((i) => series.days[i]), y: chosen.map((i) => series.flux[i]),
        marker: { color: colour, size: 4.5 }, customdata: chosen.map(() => s),
        error_y: {
          type: "data", symmetric: false, thickness: 0.8, width: 0, color: colour, array: chosen.map((i) => series.error[i]),
          arrayminus: chosen.map((i) => Math.min(series.error[i], 0.9 * series.flux[i])),
        },
        hovertemplate: `day %{x:.2f}: %{y:.4g} (${name})<extra>storm ${storm(s).storm}</extra>`,
      });
    }
    if (zero.length) {
      traces.push({
        type: "scatter", mode: "markers", name: `${name}, zero`, ...axes, x: zero.map((i) => series.days[i]), y: zero.map(() => bottom),
        marker: { color: colour, size: 6, symbol: "triangle-down" }, hovertemplate: "day %{x:.2f}: zero<extra></extra>", cliponaxis: false,
      });
    }
  };
  const inside = (t) => t >= start - 1e-5 && t <= stop + 1e-5;
  const looks = fluxLooks(state.probe);
  for (const [probe] of looks) add(fluxSeries(s, probe, e, l), (t) => !inside(t), GREY, "not fitted");
  for (const [probe, colour] of looks) add(fluxSeries(s, probe, e, l), inside, colour, looks.length > 1 ? `probe ${probe}, fitted` : "fitted");
  const shapes = [];
  if (Number.isFinite(start)) {
    shapes.push({
      type: "rect", xref: axes.xaxis, yref: `${axes.yaxis} domain`, x0: start, x1: stop, y0: 0, y1: 1, layer: "below", line: { width: 0 },
      fillcolor: "rgba(86,180,233,0.18)",
    });
  }
  if (Number.isFinite(rate) && Number.isFinite(level)) {
    const days = Array.from({ length: 40 }, (_, i) => start + (stop - start) * i / 39);
    const offset = points("probe_offset");
    const levels = state.probe === "joint" && Number.isFinite(offset) ? [[level, "solid"], [level + offset, "dash"]] : [[level, "solid"]];
    for (const [from, dash] of levels) {
      traces.push({
        type: "scatter", mode: "lines", name: "fit", ...axes, x: days, y: fittedFlux(from, rate, start, floor, days), line: { color: VERMILION, width: 2, dash },
        hoverinfo: "skip",
      });
    }
  }
  if (floor > 0) {
    shapes.push({
      type: "line", xref: `${axes.xaxis} domain`, yref: axes.yaxis, x0: 0, x1: 1, y0: floor, y1: floor, line: { color: "#555", width: 1.2, dash: "dot" },
    });
  }
  const tau = fitTau(c, s, p, e, l);
  const text = tauSaid(tau);
  const result = text || (tau.kind === "lost" ? "lost to the floor" : "no fit");
  return { traces, shapes, words: `${result}${accepted(s, p, e, l) || !text ? "" : ", not accepted"}` };
}

/** Whose points are drawn of a probe's fits, and their colours: a joint fit is of both. */
function fluxLooks(probe) {
  if (said.flux_probes.includes(probe)) return [[probe, BLUE]];
  return said.flux_probes.filter((one) => one !== "merged").map((one, k) => [one, [BLUE, GREEN][k]]);
}

/** The choice whose fitted curves are known for the chosen points. */
function choiceOfPoints() {
  return said.choices.findIndex((one) => one.own && one.points === choice().points);
}

/** Lowest and highest flux of storms in one cell, with room. */
function fluxRange(storms, e, l) {
  let [low, high] = [Infinity, 0];
  for (const s of storms) {
    for (const [probe] of fluxLooks(state.probe)) {
      for (const flux of fluxSeries(s, probe, e, l).flux) {
        if (flux > 0) { low = Math.min(low, flux); high = Math.max(high, flux); }
      }
    }
  }
  return low <= high ? [low / 1.6, high * 1.6] : [0.1, 10];
}

function drawSeries() {
  const { e, l } = state;
  const [low, high] = fluxRange(said.storms.map((_, s) => s), e, l);
  firstPanel = Math.min(firstPanel, Math.max(0, Math.floor((said.storms.length - 1) / PANELS) * PANELS));
  const shown = said.storms.map((_, s) => s).slice(firstPanel, firstPanel + PANELS);
  const width = document.getElementById("series").clientWidth;
  const columns = Math.max(1, Math.min(4, Math.floor(width / 185), shown.length));
  const rows = Math.max(1, Math.ceil(shown.length / columns));
  const height = 165 * rows + 62;
  const days = [Math.min(...shown.map((s) => storm(s).span[0])), Math.max(...shown.map((s) => storm(s).span[1]))];
  const figure = { traces: [], shapes: [], annotations: [], axes: {} };
  const [gapX, gapY] = [0.018, 26 / (height - 62)];
  shown.forEach((s, k) => {
    const [row, place] = [Math.floor(k / columns), k % columns];
    const panel = fluxPanel(s, e, l, k + 1, low * 1.05);
    figure.traces.push(...panel.traces);
    figure.shapes.push(...panel.shapes);
    const [x0, y1] = [place / columns + (place ? gapX / 2 : 0), 1 - row / rows];
    const [x1, y0] = [(place + 1) / columns - (place < columns - 1 ? gapX / 2 : 0), 1 - (row + 1) / rows + gapY / 2];
    const lowest = k + columns >= shown.length;
    const name = k ? String(k + 1) : "";
    figure.axes[`xaxis${name}`] = axis("", { domain: [x0, x1], anchor: `y${name}`, range: days, showticklabels: lowest, nticks: 5, automargin: false });
    figure.axes[`yaxis${name}`] = axis("", {
      ...logAxis("", low, high), title: { text: "" }, domain: [y0, y1 - gapY / 2], anchor: `x${name}`, showticklabels: place === 0, automargin: false,
      ...powerTicks(low, high), matches: k ? "y" : undefined,
    });
    const [plain, font] = [{ showarrow: false, xref: "paper", yref: "paper" }, { size: 10.5, color: s === state.storm ? BLUE : "#1c1c1c" }];
    figure.annotations.push(
      { ...plain, font, text: `<b>${storm(s).storm}</b>  ${day(storm(s).minimum)}`, x: x0, y: y1 - gapY / 2, xanchor: "left", yanchor: "bottom" },
      { ...plain, font: { ...font, color: "#1c1c1c" }, text: panel.words, x: x1, y: y1 - gapY / 2, xanchor: "right", yanchor: "top", bgcolor: "rgba(255,255,255,0.75)", borderpad: 1 },
    );
  });
  figure.annotations.push({
    text: "days from the storm's minimum", showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0, yshift: -36, yanchor: "bottom", xanchor: "center",
  });
  document.getElementById("series-note").textContent = seriesNote();
  drawSeriesPager();
  return Plotly.react("series", figure.traces, layout({
    height, shapes: figure.shapes, annotations: figure.annotations, margin: { l: 50, r: 8, t: 6, b: 44 }, ...figure.axes,
  }), { ...CONFIG, displayModeBar: false });
}

/** Ticks of flux: plain numbers, powers of ten where those would be long. */
function powerTicks(low, high) {
  const ticks = logTicks(low, high, 4);
  const words = ticks.map((one) => {
    if (one < 1e4 && one >= 1e-2) return number(one, 2);
    const power = Math.floor(Math.log10(one) + 1e-6);
    const digit = Math.round(one / 10 ** power);
    return `${digit === 1 ? "" : `${digit}\u00b7`}10<sup>${String(power).replace("-", MINUS)}</sup>`;
  });
  return { tickvals: ticks, ticktext: words };
}

function seriesNote() {
  const drawn = said.choices[choiceOfPoints()];
  const curve = choice().own ? "orange: its fit" : `orange: the fit by ${drawn.estimator} (of ${state.estimator} only the rates are kept)`;
  const looks = fluxLooks(state.probe);
  const who = looks.length > 1 ? `blue: probe ${looks[0][0]}, green: probe ${looks[1]?.[0]}` : "blue: fitted";
  return `Mean flux in ${said.about.flux_unit}; ${who}, grey: not fitted, shaded: fit window, ${curve}, dotted: floor, bars: counting error, triangles: zero. Click a panel's points to choose its storm.`;
}

function drawSeriesPager() {
  const last = Math.min(firstPanel + PANELS, said.storms.length);
  if (said.storms.length <= PANELS) { document.getElementById("series-pager").replaceChildren(); return; }
  const turn = (by) => () => { firstPanel += by; drawSeries(); };
  fillPager("series-pager", `${firstPanel + 1}\u2013${last} of ${said.storms.length}`, [
    { "aria-label": "Earlier storms", disabled: firstPanel === 0, onclick: turn(-PANELS) },
    { "aria-label": "Later storms", disabled: last >= said.storms.length, onclick: turn(PANELS) },
  ]);
}

/** Rows of the series of some storms in a cell, for a file. */
function seriesRows(storms, e, l) {
  const p = probeNumber();
  const rows = [];
  for (const s of storms) {
    const points = (name) => value(`points/${choice().points}`, name, s, p, e, l);
    const inside = (t) => t >= points("start") - 1e-5 && t <= points("stop") + 1e-5;
    for (const [probe] of fluxLooks(state.probe)) {
      const series = fluxSeries(s, probe, e, l);
      series.days.forEach((t, i) => rows.push([storm(s).storm, storm(s).minimum, probe, said.energy[e], said.L[l], t, series.flux[i], series.error[i], inside(t) ? 1 : 0]));
    }
  }
  return rows;
}

function saveSeries(storms, file) {
  const flux = said.about.flux_unit;
  saveCsv(file, `Mean flux after ${storms.length === 1 ? `storm ${storm(storms[0]).storm}` : "each storm"}, ${cellName(state.e, state.l)}`, [
    { name: "storm", meaning: "number of the storm in the catalogue" },
    { name: "minimum", unit: "UTC", meaning: "time of the lowest index" },
    { name: "probe", meaning: "whose flux" },
    { name: "energy", unit: "keV" },
    { name: "L" },
    { name: "days", unit: "days", meaning: "mean time of the bin's samples from the minimum" },
    { name: "flux", unit: flux, meaning: "mean flux of the bin, to five digits" },
    { name: "flux_error", unit: flux, meaning: "its counting error, to three digits" },
    { name: "in_window", meaning: "1 from the first to the last bin of the fit" },
  ], seriesRows(storms, state.e, state.l));
}

function saveRates() {
  const names = ["rate", "rate_se", "rate_low", "rate_high", "tau", "tau_low", "tau_high", "tau_limit"];
  const rows = cellFits(state.e, state.l).map((fit) => [
    fit.storm, fit.onset, fit.kind, fit.rate, fit.rate_se, fit.rate_low, fit.rate_high, fit.tau, fit.low, fit.high, fit.limit,
    ...(isPaper() ? [Number.isFinite(fit.rate) && fit.accepted ? 1 : 0] : []),
  ]);
  const [c, p] = [choiceNumber(), probeNumber()];
  const mean = meanTau(c, p, state.e, state.l);
  const theory = ["rate_predicted", "rate_predicted_low", "rate_predicted_high"].map((name) => value("theory", name, state.e, state.l));
  saveCsv("rates", `Rates of all storms, ${cellName(state.e, state.l)}`, [
    { name: "storm", meaning: "number of the storm in the catalogue" }, { name: "onset", unit: "UTC" },
    { name: "kind", meaning: "resolved, limit, growth, lost (to the floor) or none" }, ...names.map((name) => column("fits", name)),
    ...(isPaper() ? [{ name: "accepted", meaning: "1 where the mean over storms has it" }] : []),
  ], rows, [
    `mean over storms: ${tauText(mean) || "none"} days`,
    `predicted rate (1/day): ${theory.map((one) => csvCell(one)).join(", ")} (median, least and greatest of the models)`,
  ]);
}
