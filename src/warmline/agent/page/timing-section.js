import { element } from "./element.js";
import { figures } from "./figures.js";
import { milliseconds } from "./milliseconds.js";
import { timingTables } from "./timing-table.js";
import { legend, waterfall } from "./waterfall.js";

/** The lower half of the page: figures, waterfall and table of the call's timing. */
export class TimingSection {
  #empty;
  #body;
  #figures = element("div");
  #chart = element("div");
  #note = element("p", { class: "timing-note" });
  #tables = element("div", { class: "tables" });

  constructor(empty, body) {
    this.#empty = empty;
    this.#body = body;
    const details = element("details", {}, element("summary", { text: "The same numbers as a table" }), this.#tables);
    body.append(this.#figures, legend(), this.#chart, this.#note, details);
  }

  clear() {
    this.#empty.hidden = false;
    this.#body.hidden = true;
  }

  show(timing, outputLatencyMs) {
    this.#empty.hidden = true;
    this.#body.hidden = false;
    this.#figures.replaceChildren(figures(timing));
    this.#chart.replaceChildren(waterfall(timing));
    this.#note.textContent = noteOn(outputLatencyMs);
    this.#tables.replaceChildren(...timingTables(timing));
  }
}

function noteOn(outputLatencyMs) {
  const card = outputLatencyMs > 0 ? ` (here about ${milliseconds(outputLatencyMs)})` : "";
  return (
    "The whole waits are timed in this page, from sample to sample above \u221240 dBFS; the stages between are the " +
    `server\u2019s, laid onto the page\u2019s clock. What microphone and sound card add${card} comes on top.`
  );
}
