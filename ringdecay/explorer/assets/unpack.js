// What the page holds: plain values in `said`, arrays of numbers in `blocks`.

const said = JSON.parse(document.getElementById("contents").textContent);
const blocks = {};

const CELLS = [];
said.energy.forEach((_, e) => said.L.forEach((__, l) => CELLS.push([e, l])));

/** Unpack all arrays: base64, gzip, then the bytes of 32-bit floats in planes. */
async function unpackAll() {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("This browser cannot unpack the data of the page (it has no DecompressionStream). Use a newer one: Chrome or Edge 80, Firefox 113, Safari 16.4, or later.");
  }
  const elements = [...document.querySelectorAll("script[data-array]")];
  await Promise.all(elements.map(async (element) => {
    blocks[element.dataset.array] = await unpacked(element.textContent);
    element.remove();
  }));
}

async function unpacked(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const n = planes.length / 4;
  const whole = new Uint8Array(planes.length);
  for (let plane = 0; plane < 4; plane++) {
    for (let i = 0; i < n; i++) whole[4 * i + plane] = planes[plane * n + i];
  }
  return new Float32Array(whole.buffer);
}

/** Tell whether a block has a variable. */
function has(block, variable) {
  return said.blocks[block].variables.includes(variable);
}

/** Give one number of a block; NaN of a variable that it does not have. */
function value(block, variable, ...place) {
  const { variables, shape } = said.blocks[block];
  let at = variables.indexOf(variable);
  if (at < 0) return NaN;
  for (let i = 0; i < place.length; i++) at = at * shape[i + 1] + place[i];
  return blocks[block][at];
}

/** Give the flux of a cell after a storm: {days, flux, error}, bins without a sample left out. */
function fluxSeries(storm, probe, e, l) {
  const [first, last] = said.storms[storm].flux;
  const [, probes, shells, energies] = said.blocks.flux.shape;
  const p = said.flux_probes.indexOf(probe);
  const out = { days: [], flux: [], error: [] };
  for (let row = first; row < last; row++) {
    const at = ((row * probes + p) * shells + l) * energies + e;
    if (Number.isNaN(blocks.flux[at])) continue;
    out.days.push(blocks.flux_days[at]);
    out.flux.push(blocks.flux[at]);
    out.error.push(blocks.flux_error[at]);
  }
  return out;
}

/** Give the storm index around a storm: {days, values}. */
function indexSeries(storm) {
  const [first, last] = said.storms[storm].index;
  return { days: Array.from(blocks.index_days.subarray(first, last)), values: Array.from(blocks.index.subarray(first, last)) };
}
