const TAPS_EACH_SIDE = 12;
const KERNEL_POINTS = 256; // between two samples; the nearest is taken, its error lies below -50 dB

/**
 * Brings a microphone's rate down (or up) to another, sample by sample, by windowed-sinc interpolation.
 *
 * For browsers that cannot connect a microphone to an AudioContext of another rate. The cut-off lies at the lower of
 * the two Nyquist frequencies; the Hann-windowed kernel reaches 12 of the slower rate's samples to either side, which
 * is also the delay (`delaySec`).
 */
export class Resampler {
  #step;
  #reach;
  #kernel;
  #history;
  #next;

  constructor(fromHz, toHz) {
    this.#step = fromHz / toHz;
    const cutoff = Math.min(1, toHz / fromHz);
    this.#reach = Math.ceil(TAPS_EACH_SIDE / cutoff);
    this.#kernel = kernel(cutoff, this.#reach);
    this.#history = new Float32Array(this.#reach);
    this.#next = this.#reach;
    this.delaySec = this.#reach / fromHz;
  }

  /** The samples that became known with this block; the others wait for the next. */
  push(block) {
    const known = new Float32Array(this.#history.length + block.length);
    known.set(this.#history);
    known.set(block, this.#history.length);
    const made = [];
    while (this.#next + this.#reach < known.length) {
      made.push(this.#at(known, this.#next));
      this.#next += this.#step;
    }
    const keepFrom = Math.max(0, Math.floor(this.#next) - this.#reach);
    this.#history = known.slice(keepFrom);
    this.#next -= keepFrom;
    return made;
  }

  #at(samples, position) {
    const first = Math.max(0, Math.ceil(position - this.#reach));
    const last = Math.min(samples.length - 1, Math.floor(position + this.#reach));
    let sum = 0;
    let weight = 0;
    for (let index = first; index <= last; index++) {
      const tap = this.#kernel[Math.round(Math.abs(position - index) * KERNEL_POINTS)];
      sum += samples[index] * tap;
      weight += tap;
    }
    return sum / weight;
  }
}

function kernel(cutoff, reach) {
  return Float32Array.from({ length: reach * KERNEL_POINTS + 1 }, (_, point) => {
    const distance = point / KERNEL_POINTS;
    const window = 0.5 + 0.5 * Math.cos((Math.PI * distance) / reach);
    const angle = Math.PI * distance * cutoff;
    return window * (angle === 0 ? 1 : Math.sin(angle) / angle);
  });
}
