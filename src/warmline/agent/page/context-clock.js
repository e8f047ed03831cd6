const SETTLE_MS = 80;

/**
 * Maps the clock of an AudioContext to `performance.now()`: when a sample is handed to the sound card.
 *
 * `currentTime` jumps on in blocks of tens of milliseconds, so it is only the first guess. The browser's output time
 * stamp runs evenly but says nothing true until some blocks have been played; it names the moment that a sample leaves
 * the loudspeaker, so the sound card's own delay is taken off again.
 */
export class ContextClock {
  #context;
  #resetAt = 0;
  #offset = 0;

  constructor(context) {
    this.#context = context;
    this.reset();
  }

  /** Begin anew: the context was suspended, and its clock stood still. */
  reset() {
    this.#resetAt = performance.now();
    this.observe();
  }

  /** How long after `reset` the mapping is only a guess. */
  get settleMs() {
    return Math.max(0, this.#resetAt + SETTLE_MS - performance.now());
  }

  observe() {
    const { contextTime, performanceTime } = this.#context.getOutputTimestamp?.() ?? {};
    const latencySec = this.#context.outputLatency ?? 0;
    if (performanceTime > this.#resetAt + SETTLE_MS) this.#offset = performanceTime - (contextTime + latencySec) * 1000;
    else this.#offset = performance.now() - this.#context.currentTime * 1000;
  }

  /** Page milliseconds of a moment on the context's clock. */
  toPage(atSec) {
    return atSec * 1000 + this.#offset;
  }
}
