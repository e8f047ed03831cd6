import { element } from "./element.js";
import { digits } from "./milliseconds.js";
import { GREETING_STAGES, TURN_STAGES } from "./stages.js";

/** The waterfall's numbers as two tables: the greeting's stages, and every turn's beside the median of the others. */
export function timingTables({ greeting, turns, medianOfOthers }) {
  const tables = [table("Greeting, ms of each stage", GREETING_STAGES, [{ name: "Greeting", row: greeting }])];
  if (turns.length > 0) tables.push(table("Turns, ms of each stage", TURN_STAGES, turnColumns(turns, medianOfOthers)));
  return tables;
}

function turnColumns(turns, medianOfOthers) {
  const columns = turns.map((row) => ({ name: `Turn ${row.turn}`, row }));
  if (medianOfOthers) columns.splice(1, 0, { name: "Median of the others", row: medianOfOthers });
  return columns;
}

function table(caption, stages, columns) {
  const made = element("table", {}, element("caption", { text: caption }), head(columns), element("tbody"));
  for (const { moment, label } of stages)
    made.tBodies[0].append(line(label, columns, ({ row }) => lengthAt(row, moment)));
  made.tBodies[0].append(line("Whole wait", columns, ({ row }) => row.totalMs));
  return element(
    "div",
    { class: "table-scroll", attributes: { tabindex: "0", role: "region", "aria-label": caption } },
    made,
  );
}

function head(columns) {
  const titles = ["Stage", ...columns.map(({ name }) => name)];
  return element(
    "thead",
    {},
    element("tr", {}, ...titles.map((text) => element("th", { text, attributes: { scope: "col" } }))),
  );
}

function line(label, columns, valueOf) {
  const cells = columns.map((column) => element("td", { text: digits(valueOf(column)) }));
  return element("tr", {}, element("th", { text: label, attributes: { scope: "row" } }), ...cells);
}

function lengthAt(row, moment) {
  const bar = row.staged && row.bars.find((one) => one.moment === moment);
  return bar ? bar.endMs - bar.startMs : NaN;
}
