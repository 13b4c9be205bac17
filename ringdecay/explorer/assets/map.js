// The map of decay times, which chooses the cell.

let cursor = [0, 0];

function mapParts(e, l) {
  const [c, p] = [choiceNumber(), probeNumber()];
  const get = (name) => value(`mean/${c}`, name, p, e, l);
  const tau = meanTau(c, p, e, l);
  const text = tauText(tau);
  const words = flagWords(get("flag"), said.flags.mean, ["no_fits", "not_resolved", "growth"]);
  const result = { none: "no result", lost: "storms lost to the floor", growth: "flux grows" }[tau.kind] ?? `\u03c4 ${text.startsWith(">") ? text : `= ${text}`} d`;
  return [cellName(e, l), result, `${number(get("n_storms"))} storms with a fit`, words.split(" ").join(", ").replaceAll("_", " ")].filter(Boolean);
}

function mapText(e, l) {
  const [name, ...parts] = mapParts(e, l);
  return `${name}: ${parts.join(", ")}`;
}

function drawMap() {
  const [c, p] = [choiceNumber(), probeNumber()];
  const lostBit = said.flags.mean.storms_lost_to_floor ?? 0;
  const shapes = outlines(state.e, state.l, document.activeElement?.id === "map" ? cursor : null);
  const html = (e, l) => mapParts(e, l).join("<br>");
  if (state.quantity === "tau") {
    drawTauMap("map", (e, l) => ({
      ...meanTau(c, p, e, l), lost: (value(`mean/${c}`, "flag", p, e, l) & lostBit) > 0, text: html(e, l),
    }), shapes);
  } else {
    drawCounts(c, p, html, shapes);
  }
  document.getElementById("map-title").textContent = state.quantity === "tau" ? "Decay times, mean over storms" : "Storms with a fit";
  document.getElementById("map-says").textContent = mapText(state.e, state.l);
  drawLegend(c, p, lostBit);
}

function drawCounts(c, p, html, shapes) {
  const z = said.L.map((_, l) => said.energy.map((__, e) => value(`mean/${c}`, "n_storms", p, e, l) || null));
  const most = Math.max(1, ...z.flat());
  plotMap("map", [{
    type: "heatmap", x: said.energy_edges, y: said.L_edges, z, text: said.L.map((_, l) => said.energy.map((__, e) => html(e, l))),
    hovertemplate: "%{text}<extra></extra>", hoverongaps: true, colorscale: [[0, "#eef4fb"], [1, "#2171b5"]], zmin: 0, zmax: most,
    colorbar: { title: { text: "storms with a fit", side: "right" }, thickness: 13, len: 1, outlinewidth: 0, ticks: "outside", tickformat: "d" },
  }], shapes);
}

function drawLegend(c, p, lostBit) {
  const kinds = new Set(CELLS.map(([e, l]) => said.kinds[value(`mean/${c}`, "kind", p, e, l)]));
  const lost = CELLS.some(([e, l]) => value(`mean/${c}`, "flag", p, e, l) & lostBit && said.kinds[value(`mean/${c}`, "kind", p, e, l)] !== "none");
  const items = state.quantity !== "tau" ? [] : [
    kinds.has("limit") && ["limit", "decay not resolved: lower limit"],
    kinds.has("growth") && ["growth", "flux grows"],
    lost && ["lost", "fast storms lost to the floor"],
    ["", "no result"],
  ].filter(Boolean);
  items.push(["chosen", "chosen cell"]);
  document.getElementById("map-legend").replaceChildren(
    ...items.map(([kind, text]) => element("li", {}, element("span", { class: `swatch ${kind}` }), text)),
  );
}

function moveCursor(de, dl) {
  cursor = [
    Math.min(Math.max(0, cursor[0] + de), said.energy.length - 1),
    Math.min(Math.max(0, cursor[1] + dl), said.L.length - 1),
  ];
  showCursor();
  document.getElementById("map-says").textContent = mapText(...cursor);
}

function showCursor() {
  const focused = document.activeElement?.id === "map";
  Plotly.relayout("map", { shapes: outlines(state.e, state.l, focused ? cursor : null) });
}

function startMap() {
  const box = document.getElementById("map");
  onCellClick("map", (e, l) => { cursor = [e, l]; choose({ e, l }); });
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  box.addEventListener("keydown", (event) => {
    if (event.key in moves) moveCursor(...moves[event.key]);
    else if (event.key === "Enter" || event.key === " ") choose({ e: cursor[0], l: cursor[1] });
    else return;
    event.preventDefault();
  });
  box.addEventListener("focus", () => { cursor = [state.e, state.l]; showCursor(); });
  box.addEventListener("blur", () => { showCursor(); document.getElementById("map-says").textContent = mapText(state.e, state.l); });
  document.getElementById("quantity").addEventListener("change", (event) => choose({ quantity: event.target.value }));
}
