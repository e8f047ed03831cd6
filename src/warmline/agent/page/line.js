import { fraction } from "./level-meter.js";
import { milliseconds } from "./milliseconds.js";

const MOST_SHOWN_MS = 8000;
const MS_PER_PIXEL = 10; // a narrow screen shows less time, not thinner bars
const BAR_MS = 40;
const FLOOR = 0.18; // of the meter's range: room noise stays flat

/**
 * The last seconds of the line (eight at most): the caller above it, the agent below it, the wait between them marked.
 *
 * Decoration for the eye: the meters and the table say the same to everyone.
 */
export class Line {
  #canvas;
  #levels = { microphone: [], agent: [] };
  #waits = [];

  constructor(canvas) {
    this.#canvas = canvas;
  }

  clear() {
    this.#levels = { microphone: [], agent: [] };
    this.#waits = [];
  }

  level(side, { at, peak }) {
    const bars = this.#levels[side];
    const slot = Math.floor(at / BAR_MS);
    const last = bars.at(-1);
    if (last?.slot === slot) last.peak = Math.max(last.peak, peak);
    else bars.push({ slot, peak });
    while (bars[0].slot < slot - MOST_SHOWN_MS / BAR_MS - 1) bars.shift();
  }

  /** Mark the wait between what the caller said and what it heard; said again of the same sound, it replaces. */
  wait(startAt, endAt) {
    this.#waits = [...this.#waits.filter((wait) => wait.endAt !== endAt).slice(-5), { startAt, endAt }];
  }

  draw(now) {
    const { pen, width, height } = this.#sheet();
    const style = getComputedStyle(this.#canvas);
    const perPixel = Math.min(MS_PER_PIXEL, MOST_SHOWN_MS / width);
    const x = (at) => width - (now - at) / perPixel;
    const thick = BAR_MS / perPixel - 1.5;
    const middle = height / 2;
    for (const wait of this.#waits) drawWait(pen, wait, x, middle, style);
    pen.fillStyle = style.getPropertyValue("--rule");
    pen.fillRect(0, middle - 0.5, width, 1);
    drawBars(pen, this.#levels.microphone, x, middle, -1, style.getPropertyValue("--you"), thick);
    drawBars(pen, this.#levels.agent, x, middle, 1, style.getPropertyValue("--agent"), thick);
  }

  #sheet() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const scale = devicePixelRatio;
    if (this.#canvas.width !== Math.round(width * scale) || this.#canvas.height !== Math.round(height * scale)) {
      this.#canvas.width = Math.round(width * scale);
      this.#canvas.height = Math.round(height * scale);
    }
    const pen = this.#canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    return { pen, width, height };
  }
}

function drawBars(pen, bars, x, middle, direction, colour, thick) {
  pen.fillStyle = colour;
  for (const { slot, peak } of bars) {
    const size = Math.max(0, (fraction(peak) - FLOOR) / (1 - FLOOR)) * (middle - 4);
    if (size < 0.5) continue;
    pen.beginPath();
    pen.roundRect(x(slot * BAR_MS), direction > 0 ? middle + 2 : middle - 2 - size, thick, size, thick / 2);
    pen.fill();
  }
}

function drawWait(pen, { startAt, endAt }, x, middle, style) {
  const left = x(startAt);
  const right = x(endAt);
  pen.fillStyle = style.getPropertyValue("--wait");
  pen.fillRect(left, 0, right - left, middle * 2);
  pen.fillStyle = style.getPropertyValue("--ink");
  pen.font = `600 12px ${style.fontFamily}`;
  pen.textAlign = "center";
  pen.fillText(milliseconds(endAt - startAt), (left + right) / 2, 13);
}
