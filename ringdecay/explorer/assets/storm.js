// One storm: its index, the windows of all cells, its decay times.

const DAY_MS = 86400e3;
const WINDOW_COLOURS = { resolved: BLUE, limit: GREEN, growth: VERMILION, lost: "#443983", none: "#b9b9b9" };
const KIND_WORDS = { resolved: "resolved", limit: "not resolved", growth: "growing", lost: "lost to the floor", none: "no rate" };

/** Days of a time from the minimum of a storm. */
function daysFrom(s, time) {
  return (Date.parse(time) - Date.parse(storm(s).minimum)) / DAY_MS;
}

function drawStormFacts() {
  const one = storm(state.storm);
  const [c, p] = [choiceNumber(), probeNumber()];
  const kinds = CELLS.map(([e, l]) => said.kinds[value(`fits/${c}`, "kind", state.storm, p, e, l)]);
  const count = (kind) => kinds.filter((each) => each === kind).length;
  document.getElementById("storm-title").textContent = `Storm ${one.storm}: ${choiceName(choice())}, ${state.probe}`;
  fillFacts("storm-facts", [
    [`Lowest ${said.about.index_name}`, `${number(one.depth)} ${said.about.index_unit}`],
    ["Class", one.storm_class],
    ["Onset (UTC)", minute(one.onset)],
    ["Minimum (UTC)", minute(one.minimum)],
    ["Last minimum (UTC)", one.last_minimum === one.minimum ? "" : minute(one.last_minimum)],
    ["End of recovery (UTC)", minute(one.recovery_end)],
    ["Cells", `${count("resolved")} resolved, ${count("limit")} limits, ${count("growth")} growing, ${count("lost")} lost to the floor`],
  ]);
}

function drawStormIndex() {
  const s = state.storm;
  const series = indexSeries(s);
  const known = series.values.some(Number.isFinite);
  const traces = [{
    type: "scatter", mode: "lines", name: "index", showlegend: false, x: series.days, y: series.values.map((one) => (Number.isFinite(one) ? one : null)), line: { color: "#222", width: 1.1 },
    hovertemplate: `day %{x:.2f}: %{y:.4g} ${said.about.index_unit}<extra></extra>`,
  }];
  const [low, high] = storm(s).span;
  const shapes = [];
  const annotations = known ? [] : [nothing(`${said.about.index_name} is not known here.`)];
  said.storms.forEach((one, other) => {
    const [onset, minimum] = [daysFrom(s, one.onset), daysFrom(s, one.minimum)];
    if (minimum < low || onset > high) return;
    shapes.push({ type: "rect", xref: "x", yref: "y domain", x0: onset, x1: minimum, y0: 0, y1: 1, fillcolor: "rgba(230,159,0,0.35)", line: { width: 0 }, layer: "below" });
    shapes.push({ type: "line", xref: "x", yref: "paper", x0: onset, x1: onset, y0: 0, y1: 1, line: { color: "#E69F00", width: 1, dash: "dot" } });
    shapes.push({ type: "line", xref: "x", yref: "paper", x0: minimum, x1: minimum, y0: 0, y1: 1, line: { color: VERMILION, width: 1, dash: "dot" } });
    traces.push({
      type: "scatter", mode: "markers+text", name: "minimum", showlegend: false, x: [minimum], y: [one.depth], text: [` ${one.storm}`], textposition: "middle right",
      marker: { symbol: "triangle-down", size: 9, color: VERMILION }, customdata: [other], hovertemplate: `storm ${one.storm}: ${number(one.depth)} ${said.about.index_unit}<extra></extra>`,
    });
  });
  annotations.push(
    { text: "onset", x: daysFrom(s, storm(s).onset), y: 1, yref: "paper", xanchor: "right", yanchor: "bottom", showarrow: false, font: { size: 10.5 } },
    { text: "minimum", x: 0, y: 1, yref: "paper", xanchor: "left", yanchor: "bottom", showarrow: false, font: { size: 10.5 } },
  );
  traces.push(...windowTraces(s));
  const edges = said.L_edges;
  return Plotly.react("storm-index", traces, layout({
    height: 470, shapes, annotations, margin: { l: 62, r: 14, t: 20, b: 44 }, showlegend: true,
    legend: { orientation: "h", x: 1, xanchor: "right", y: 0.55, yanchor: "middle", font: { size: 11 }, bgcolor: "rgba(255,255,255,0.8)" },
    xaxis: axis("days from the storm's minimum", { range: [low, high], anchor: "y2" }),
    yaxis: axis(`${said.about.index_name} (${said.about.index_unit})`, { domain: [0.6, 1] }),
    yaxis2: axis(said.about.L_label, { domain: [0, 0.5], range: [edges[0], edges[edges.length - 1]], gridcolor: "#eceff2" }),
  }), CONFIG);
}

/** A line from start to stop for each cell, one trace for each kind of result. */
function windowTraces(s) {
  const [c, p] = [choiceNumber(), probeNumber()];
  const points = `points/${choice().points}`;
  const byKind = {};
  for (const [e, l] of CELLS) {
    const [start, stop] = [value(points, "start", s, p, e, l), value(points, "stop", s, p, e, l)];
    if (!Number.isFinite(start)) continue;
    const kind = said.kinds[value(`fits/${c}`, "kind", s, p, e, l)];
    const y = said.L_edges[l] + (said.L_edges[l + 1] - said.L_edges[l]) * (e + 0.5) / said.energy.length;
    const group = byKind[kind] ??= { x: [], y: [], text: [], cells: [] };
    const text = `${cellName(e, l)}<br>day ${number(start, 3)} to ${number(stop, 3)}<br>${tauText(fitTau(c, s, p, e, l)) || KIND_WORDS[kind]}`;
    group.x.push(start, stop, null);
    group.y.push(y, y, null);
    group.text.push(text, text, "");
    group.cells.push([e, l], [e, l], null);
  }
  const order = Object.keys(WINDOW_COLOURS).filter((kind) => byKind[kind]);
  // About as wide as there is room for all of them.
  const width = Math.min(3, Math.max(0.6, 200 / CELLS.length));
  return order.map((kind) => ({
    type: "scatter", mode: "lines+markers", name: KIND_WORDS[kind], yaxis: "y2", x: byKind[kind].x, y: byKind[kind].y, text: byKind[kind].text,
    customdata: byKind[kind].cells, line: { color: WINDOW_COLOURS[kind], width }, marker: { size: Math.max(1.5, width), color: WINDOW_COLOURS[kind] },
    hovertemplate: "%{text}<extra></extra>",
  }));
}

function drawStormMap() {
  const [c, p, s] = [choiceNumber(), probeNumber(), state.storm];
  drawTauMap("storm-map", (e, l) => {
    const tau = fitTau(c, s, p, e, l);
    const text = tauSaid(tau);
    const flags = flagWords(value(`points/${choice().points}`, "flag", s, p, e, l), said.flags.fit, choice().own ? [] : ["not_resolved", "growth", "not_accepted"]);
    const kind = text === "growing" ? "growth" : tau.kind;
    return { ...tau, kind, lost: false, text: `${cellName(e, l)}<br>${text || KIND_WORDS[kind]}<br>${flags.replaceAll("_", " ")}` };
  }, outlines(state.e, state.l, null));
}

function drawStormSeries() {
  const { e, l, storm: s } = state;
  const [low, high] = fluxRange([s], e, l);
  const panel = fluxPanel(s, e, l, 1, low * 1.05);
  document.getElementById("storm-series-title").textContent = `Flux at ${cellName(e, l)}: ${panel.words}`;
  return Plotly.react("storm-series", panel.traces, layout({
    height: 280, shapes: panel.shapes, margin: { l: 62, r: 14, t: 8, b: 44 },
    xaxis: axis("days from the storm's minimum", { range: storm(s).span }),
    yaxis: { ...logAxis(`mean flux (${unitHtml(said.about.flux_unit)})`, low, high), ...powerTicks(low, high) },
    annotations: panel.traces.length ? [] : [nothing("No flux here.")],
  }), CONFIG);
}

function saveIndex() {
  const series = indexSeries(state.storm);
  saveCsv(`storm_${storm(state.storm).storm}_index`, `${said.about.index_name} around storm ${storm(state.storm).storm}, minimum ${storm(state.storm).minimum}`, [
    { name: "days", unit: "days", meaning: "from the storm's minimum" },
    { name: "index", unit: said.about.index_unit, meaning: said.about.index_name },
  ], series.days.map((t, i) => [t, series.values[i]]));
}
