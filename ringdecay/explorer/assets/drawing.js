// What the figures share: colours, axes, the map of cells.

const [BLUE, VERMILION, BLACK, GREEN, , SKY] = said.colours.series;
const GREY = "#9a9a9a";
const FONT = { family: 'system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif', size: 12, color: "#1c1c1c" };
const CONFIG = {
  // Nothing is sent anywhere: Plotly would offer to share a figure on a server of its own.
  displaylogo: false, responsive: true, scrollZoom: false, showSendToCloud: false, plotlyServerURL: "",
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"], toImageButtonOptions: { scale: 2 },
};
const LINE = { color: "#b9c0c7", width: 1 };

function narrow() {
  return window.innerWidth <= 900;
}

/** Layout that all figures have, and more. */
function layout(more) {
  return {
    font: FONT, paper_bgcolor: "#fff", plot_bgcolor: "#fff", hovermode: "closest", showlegend: false,
    dragmode: narrow() ? false : "zoom", margin: { l: 62, r: 14, t: 10, b: 44 }, ...more,
  };
}

function axis(title, more = {}) {
  return {
    title: { text: title, standoff: 6 }, showline: true, mirror: true, linecolor: "#555", ticks: "outside", ticklen: 4, tickcolor: "#555",
    gridcolor: "#eceff2", zeroline: false, automargin: true, ...more,
  };
}

/** Round values inside a range: 1, 2 and 5 of each power of ten, or the powers alone if those are many. */
function logTicks(low, high, most = 9) {
  for (const digits of [[1, 2, 5], [1]]) {
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const digit of digits) {
        const tick = Number((digit * 10 ** power).toPrecision(3));
        if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
      }
    }
    if (ticks.length <= most || digits.length === 1) return ticks;
  }
  return [];
}

function logAxis(title, low, high, more = {}) {
  const ticks = logTicks(low, high);
  return axis(title, { type: "log", range: [Math.log10(low), Math.log10(high)], tickvals: ticks, ticktext: ticks.map((one) => number(one)), ...more });
}

/** Outline a cell of a map. */
function cellOutline(e, l, line) {
  return {
    type: "rect", x0: said.energy_edges[e], x1: said.energy_edges[e + 1], y0: said.L_edges[l], y1: said.L_edges[l + 1], line,
    fillcolor: "rgba(0,0,0,0)",
  };
}

function outlines(e, l, cursor) {
  const shapes = [cellOutline(e, l, { color: "#fff", width: 5 }), cellOutline(e, l, { color: VERMILION, width: 2.5 })];
  if (cursor && (cursor[0] !== e || cursor[1] !== l)) {
    shapes.push(cellOutline(...cursor, { color: "#fff", width: 4 }), cellOutline(...cursor, { color: BLACK, width: 2, dash: "dot" }));
  }
  return shapes;
}

/** Cells as polygons of one trace, filled with a pattern. */
function hatched(cells, shape, colour, face, name) {
  const x = [];
  const y = [];
  for (const [e, l] of cells) {
    const [x0, x1, y0, y1] = [said.energy_edges[e], said.energy_edges[e + 1], said.L_edges[l], said.L_edges[l + 1]];
    x.push(x0, x1, x1, x0, x0, null);
    y.push(y0, y0, y1, y1, y0, null);
  }
  return {
    type: "scatter", mode: "lines", x, y, name, fill: "toself", line: { width: 0 }, hoverinfo: "skip",
    fillcolor: face, fillpattern: { shape, fgcolor: colour, bgcolor: face, size: 7, solidity: shape === "." ? 0.25 : 0.16, fillmode: "replace" },
  };
}

/** Draw a map of decay times: `cell(e, l)` gives {tau, limit, kind, lost, text}. */
function drawTauMap(id, cell, shapes) {
  const [low, high] = said.tau_range;
  const cells = CELLS.map(([e, l]) => ({ e, l, ...cell(e, l) }));
  const rows = said.L.map((_, l) => cells.filter((one) => one.l === l));
  const shown = (one) => {
    if (one.kind === "limit") return Math.log10(one.limit);
    return one.kind === "resolved" ? Math.log10(one.tau) : NaN;
  };
  const clipped = (x) => (Number.isFinite(x) ? x : null);
  const ticks = logTicks(low, high);
  const heat = {
    type: "heatmap", x: said.energy_edges, y: said.L_edges, z: rows.map((row) => row.map((one) => clipped(shown(one)))),
    text: rows.map((row) => row.map((one) => one.text)), hovertemplate: "%{text}<extra></extra>", hoverongaps: true,
    colorscale: "Viridis", zmin: Math.log10(low), zmax: Math.log10(high),
    colorbar: colourbar("decay time (days)", ticks.map(Math.log10), ticks.map((one) => number(one))),
  };
  const of = (test) => cells.filter(test).map((one) => [one.e, one.l]);
  const traces = [
    heat,
    hatched(of((one) => one.kind === "limit"), "/", "#1c1c1c", "rgba(0,0,0,0)", "limit"),
    hatched(of((one) => one.kind === "growth"), "x", "#1c1c1c", "#fff", "growth"),
    hatched(of((one) => one.kind === "lost"), ".", "#fff", "#443983", "lost"),
    hatched(of((one) => one.lost && (one.kind === "resolved" || one.kind === "limit")), ".", "#fff", "rgba(0,0,0,0)", "some lost"),
  ].filter((trace, k) => k === 0 || trace.x.length);
  return plotMap(id, traces, shapes);
}

function colourbar(title, tickvals, ticktext) {
  return { title: { text: title, side: "right" }, tickvals, ticktext, thickness: 13, len: 1, outlinewidth: 0, ticks: "outside", xpad: 6 };
}

function plotMap(id, traces, shapes) {
  const edges = said.energy_edges;
  const width = document.getElementById(id).clientWidth;
  return Plotly.react(id, traces, layout({
    height: Math.round(Math.min(520, Math.max(320, 0.85 * width))), dragmode: false, shapes,
    xaxis: logAxis(said.about.energy_label, edges[0], edges[edges.length - 1], { fixedrange: true, showgrid: false }),
    yaxis: axis(said.about.L_label, { range: [said.L_edges[0], said.L_edges[said.L_edges.length - 1]], fixedrange: true, showgrid: false }),
    margin: { l: 54, r: 10, t: 8, b: 46 },
  }), { ...CONFIG, displayModeBar: false });
}

/** Call back with the cell [e, l] of a map that is clicked. */
function onCellClick(id, chosen) {
  document.getElementById(id).on("plotly_click", ({ points }) => {
    const [point] = points;
    if (point.data.type === "heatmap") chosen(point.pointNumber[1], point.pointNumber[0]);
  });
}

/** Flux of a fit at some days from the minimum; on the floor that belongs to it, if there is one. */
function fittedFlux(level, rate, start, floor, days) {
  return days.map((t) => {
    const signal = Math.exp(level - rate * (t - start));
    if (!Number.isFinite(floor) || floor === 0) return signal;
    const bent = 1 + Math.abs(floor) / signal;
    return floor < 0 ? signal / bent : signal * bent;
  });
}
