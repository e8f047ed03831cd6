import { element } from "./element.js";
import { digits, milliseconds, signedMilliseconds } from "./milliseconds.js";
import { FAMILIES, TURN_STAGES } from "./stages.js";

const NICE_STEPS_MS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];
const MOST_TICKS = 7;

/**
 * The waits of a call as bars on one scale: the greeting, the first turn beside the median of the others, every other
 * turn, and below them the first turn and the median stage by stage.
 *
 * For the eye (`role="img"` with a summary); the table has the same numbers for everyone.
 */
export function waterfall(timing) {
  const scale = scaleFor(timing);
  const chart = element("div", { class: "chart", attributes: { role: "img", "aria-label": summary(timing) } });
  chart.append(...axis(scale), turnRow("Greeting", timing.greeting, scale));
  if (timing.first) chart.append(...firstRows(timing, scale));
  for (const turn of timing.turns.slice(1)) chart.append(turnRow(`Turn ${turn.turn}`, turn, scale));
  if (timing.first?.staged) chart.append(...stageRows(timing, scale));
  chart.append(gridlines(scale));
  return chart;
}

/** Which colour and pattern is who. */
export function legend() {
  const list = element("ul", { class: "legend", attributes: { "aria-label": "What the bars mean" } });
  for (const { name, label } of FAMILIES) {
    list.append(
      element("li", {}, element("span", { class: `swatch family-${name}` }), element("span", { text: label })),
    );
  }
  return list;
}

function summary({ greeting, first, medianOfOthers, coldTaxMs }) {
  const parts = [`Greeting heard after ${milliseconds(greeting.totalMs)}.`];
  if (first) parts.push(`First turn ${milliseconds(first.totalMs)}.`);
  if (medianOfOthers)
    parts.push(
      `Median of the others ${milliseconds(medianOfOthers.totalMs)}, cold tax ${signedMilliseconds(coldTaxMs)}.`,
    );
  return `Waterfall of waits. ${parts.join(" ")} The table below has every stage.`;
}

function scaleFor({ greeting, turns }) {
  const longest = Math.max(100, ...[greeting, ...turns].map(lengthOf));
  const stepMs = NICE_STEPS_MS.find((step) => longest / step <= MOST_TICKS) ?? longest / MOST_TICKS;
  const endMs = Math.ceil((longest * 1.02) / stepMs) * stepMs;
  const ticks = Array.from({ length: Math.round(endMs / stepMs) + 1 }, (_, index) => index * stepMs);
  return { endMs, ticks, percent: (ms) => `${((100 * ms) / endMs).toFixed(3)}%` };
}

function lengthOf({ bars, totalMs }) {
  return Math.max(Number.isFinite(totalMs) ? totalMs : 0, bars.at(-1)?.endMs ?? 0);
}

function axis({ ticks, percent }) {
  const line = element("div", { class: "axis" });
  for (const ms of ticks) line.append(placed(element("span", { text: String(ms) }), percent(ms)));
  return [element("div", { class: "row-name axis-name", text: "Milliseconds" }), line];
}

function gridlines({ ticks, percent }) {
  const sheet = element("div", { class: "gridlines" });
  for (const ms of ticks) sheet.append(placed(element("span"), percent(ms)));
  return sheet;
}

function placed(node, left, width) {
  node.style.setProperty("left", left);
  if (width) node.style.setProperty("width", width);
  return node;
}

function turnRow(name, row, scale, emphasis = "") {
  const track = element("div", { class: "track" });
  for (const bar of row.bars) track.append(barOf(bar, scale));
  if (Number.isFinite(row.totalMs))
    track.append(placed(element("span", { class: "heard" }), scale.percent(row.totalMs)));
  const remark = row.interrupted ? "interrupted" : row.atEar ? "" : "not timed at the ear";
  const label = element("div", { class: "row-name", text: name });
  if (remark) label.append(element("small", { text: remark }));
  const total = element("div", { class: "row-total", text: milliseconds(row.totalMs) });
  return element("div", { class: `row ${emphasis}` }, label, track, total);
}

function barOf({ label, family, startMs, endMs }, { percent }) {
  const bar = element("span", {
    class: `bar family-${family}`,
    attributes: { title: `${label}: ${milliseconds(endMs - startMs)}` },
  });
  return placed(bar, percent(startMs), percent(endMs - startMs));
}

function firstRows({ first, medianOfOthers, coldTaxMs }, scale) {
  const firstRow = turnRow("Turn 1", first, scale, "row-first");
  if (!medianOfOthers) return [firstRow];
  const medianRow = turnRow("Median of the others", medianOfOthers, scale, "row-median");
  medianRow.append(element("div", { class: "row-tax", text: `cold tax ${signedMilliseconds(coldTaxMs)}` }));
  const shorter = coldTaxMs > 0 ? medianRow : firstRow;
  if (Number.isFinite(coldTaxMs)) shorter.querySelector(".track").append(taxZone(first, medianOfOthers, scale));
  return [firstRow, medianRow];
}

/** What the shorter of the two rows lacks: the difference itself. */
function taxZone(first, usual, { percent }) {
  const startMs = Math.min(first.totalMs, usual.totalMs);
  const endMs = Math.max(first.totalMs, usual.totalMs);
  return placed(element("span", { class: "tax-zone" }), percent(startMs), percent(endMs - startMs));
}

function stageRows({ first, medianOfOthers }, scale) {
  const heading = element("div", { class: "row row-heading" });
  heading.append(element("h3", { class: "row-name", text: "Stage by stage" }), key(medianOfOthers));
  for (const [index, text] of ["Turn 1", "Median", "Extra"].entries()) {
    heading.append(element("div", { class: `column-${index + 1}`, text }));
  }
  const rows = TURN_STAGES.map(({ moment, label }) =>
    stageRow(label, barAt(first, moment), barAt(medianOfOthers, moment), scale),
  );
  return [heading, ...rows.filter(Boolean)];
}

function key(withMedian) {
  const made = element("div", { class: "key" }, element("span", { class: "key-first", text: "Turn 1" }));
  if (withMedian) made.append(element("span", { class: "key-median", text: "Median of the others" }));
  return made;
}

function barAt(row, moment) {
  return row?.staged ? (row.bars.find((bar) => bar.moment === moment) ?? null) : null;
}

function stageRow(label, first, usual, scale) {
  if (!first && !usual) return null;
  const track = element("div", { class: "track track-pair" });
  if (first) track.append(withClass(barOf(first, scale), "bar-first"));
  if (usual) track.append(withClass(barOf(usual, scale), "bar-median"));
  const [firstMs, usualMs] = [first, usual].map((bar) => (bar ? bar.endMs - bar.startMs : NaN));
  const numbers = [firstMs, usualMs, firstMs - usualMs].map((ms, index) =>
    element("div", { class: `column-${index + 1}`, text: digits(ms) }),
  );
  return element(
    "div",
    { class: "row row-stage" },
    element("div", { class: "row-name", text: label }),
    track,
    ...numbers,
  );
}

function withClass(node, name) {
  node.classList.add(name);
  return node;
}
