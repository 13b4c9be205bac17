// What is shown as a file: comma-separated, with lines at the top that say what it is.

/** Write a cell of a CSV file: times and words as they are, numbers with seven digits (they have 32 bits). */
function csvCell(given) {
  if (typeof given === "number") {
    if (Number.isNaN(given)) return "";
    if (!Number.isFinite(given)) return given > 0 ? "inf" : "-inf";
    return String(Number(given.toPrecision(7)));
  }
  const text = String(given ?? "").replaceAll("#", "no.");
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Save a table: what it is, columns of {name, unit, meaning}, rows of values. */
function saveCsv(file, title, columns, rows, notes = []) {
  const lines = said.about.simulated ? ["SIMULATED data: made from a demonstration archive with known decay times, not from measurements"] : [];
  lines.push(
    title,
    "read with pandas.read_csv(path, comment='#')",
    `run: ${said.about.run}`,
    `data: ${said.about.source}`,
    `fits: mode ${state.mode}, estimator ${state.estimator}, probe ${state.probe}, intervals ${percent(said.about.confidence)}`,
    ...notes,
    `rows: ${rows.length}`,
    "columns:",
    ...columns.map(({ name, unit, meaning }) => `  ${name}${unit && unit !== "1" ? ` [${unit}]` : ""}${meaning ? `: ${meaning}` : ""}`),
  );
  const text = [
    ...lines.map((line) => `# ${line}`),
    columns.map(({ name }) => name).join(","),
    ...rows.map((row) => row.map(csvCell).join(",")),
  ].join("\n");
  const address = URL.createObjectURL(new Blob([`${text}\n`], { type: "text/csv" }));
  const link = element("a", { href: address, download: `${said.about.run || "ringdecay"}_${file}.csv` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

/** Describe a column by what the run says of its variable: of "fits", or of a "mean" over storms and theory. */
function column(of, name, more = {}) {
  const { units = "", long_name: meaning = "" } = said.variables[of][name] ?? {};
  return { name, unit: units, meaning, ...more };
}
