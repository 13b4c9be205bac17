// Numbers and names in words.

const MINUS = "\u2212";

/** Write a number with some significant digits; nothing for what is not known. */
function number(x, digits = 4) {
  if (x === undefined || x === null || Number.isNaN(x)) return "";
  if (!Number.isFinite(x)) return x > 0 ? "\u221e" : `${MINUS}\u221e`;
  return String(Number(x.toPrecision(digits))).replace("-", MINUS);
}

/** Decimals that show two digits of a width. */
function decimals(width) {
  return width > 0 ? Math.min(20, Math.max(0, 1 - Math.floor(Math.log10(width)))) : 1;
}

/** Round down to two digits, as a lower limit has to be. */
function roundedDown(x) {
  const power = Math.floor(Math.log10(x)) - 1;
  const step = 10 ** power;
  return (Math.floor(x / step + 1e-5) * step).toFixed(Math.max(0, -power));
}

/** Say a decay time in a few signs, as the tables and the figures of the run do. */
function tauText({ tau, low, high, limit, sd, kind }) {
  // No decay time is long enough even for the one-sided limit.
  if (kind === "growth" || limit === Infinity) return "growing";
  if (Number.isFinite(limit)) return `> ${roundedDown(limit)}`;
  if (!Number.isFinite(tau)) return "";
  if (sd !== undefined) return Number.isFinite(sd) ? `${tau.toFixed(decimals(sd))} \u00b1 ${sd.toFixed(decimals(sd))}` : number(tau, 3);
  const digits = decimals(Number.isFinite(high - low) ? (high - low) / 2 : tau / 10);
  return `${tau.toFixed(digits)} (${low.toFixed(digits)}\u2013${Number.isFinite(high) ? high.toFixed(digits) : "\u221e"})`;
}

/** Say a decay time with its sign and unit, where it has them: "\u03c4 = 5.8 (5.0\u20137.1) d", "\u03c4 > 24 d", "growing", or nothing. */
function tauSaid(tau) {
  const text = tauText(tau);
  return ["", "growing"].includes(text) ? text : `\u03c4 ${text.startsWith(">") ? text : `= ${text}`} d`;
}

/** 1/rate where it is positive, infinite where it is not. */
function inverse(rate) {
  if (Number.isNaN(rate)) return NaN;
  return rate > 0 ? 1 / rate : Infinity;
}

/** Decay time of one fit, its interval and limit. */
function fitTau(choice, storm, p, e, l) {
  const get = (name) => value(`fits/${choice}`, name, storm, p, e, l);
  const rate = get("rate");
  return {
    tau: rate > 0 ? 1 / rate : NaN,
    low: inverse(get("rate_high")),
    high: inverse(get("rate_low")),
    limit: get("tau_limit"),
    kind: said.kinds[get("kind")],
  };
}

/** Mean decay time of one cell, its interval and limit, or the standard deviation of mode paper. */
function meanTau(choice, p, e, l) {
  const get = (name) => value(`mean/${choice}`, name, p, e, l);
  const sd = has(`mean/${choice}`, "tau_sd") ? get("tau_sd") : undefined;
  return { tau: get("tau"), low: get("tau_low"), high: get("tau_high"), limit: get("tau_limit"), sd, kind: said.kinds[get("kind")] };
}

/** Words of a bit mask. */
function flagWords(bits, flags, without = []) {
  return Object.entries(flags).filter(([word, mask]) => bits & mask && !without.includes(word)).map(([word]) => word).join(" ");
}

function storm(s) {
  return said.storms[s];
}

function day(time) {
  return time.slice(0, 10);
}

function minute(time) {
  return time.slice(0, 16).replace("T", " ");
}

function cellName(e, l) {
  return `${number(said.energy[e])} keV, L = ${number(said.L[l])}`;
}

function percent(share) {
  return `${number(100 * share)} %`;
}

/** Name of a choice, such as "calibrated, gls". */
function choiceName(choice) {
  return `${choice.mode}, ${choice.estimator}`;
}

/** Write powers of units as HTML: cm-2 as cm with a raised -2. */
function unitHtml(unit) {
  return unit.replace(/-(\d)/g, `<sup>${MINUS}$1</sup>`);
}

/** Make an element with text and attributes. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, given] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), given);
    else if (given === true) made.setAttribute(name, "");
    else if (given !== false && given !== undefined) made.setAttribute(name, given);
  }
  made.append(...children);
  return made;
}

/** Fill a pager: what is shown between a button back and one on, given by their attributes. The keyboard stays where it was. */
function fillPager(id, text, ends) {
  const box = document.getElementById(id);
  const held = [...box.querySelectorAll("button")].indexOf(document.activeElement);
  const buttons = ends.map((attributes, k) => element("button", { type: "button", ...attributes }, "\u2039\u203a"[k]));
  box.replaceChildren(buttons[0], text, buttons[1]);
  if (held >= 0) buttons[buttons[held].disabled ? 1 - held : held].focus();
}

/** Fill a list of facts: pairs of a term and what is said, the first set large. */
function fillFacts(id, facts) {
  document.getElementById(id).replaceChildren(
    ...facts.filter(([, text]) => text !== "").map(([term, text], k) =>
      element("div", { class: k === 0 ? "main" : "" }, element("dt", {}, term), element("dd", {}, text))),
  );
}
