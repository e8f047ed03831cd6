const FRAMES_LOOKED_AT = 5;
const LOUD_FRAMES_OF_SPEECH = 3;
const KEPT_MS = 60_000;

/**
 * Finds the last loud sample of the caller's speech.
 *
 * A sample counts when it is above -40 dBFS and at least three of the last five 20 ms frames hold one, so that a click
 * of the mouse after the last word is not taken for speech.
 */
export class SpeechEdge {
  #recent = [];
  #edges = [];

  /** @param {number | null} lastLoudAt page milliseconds of the frame's last loud sample */
  push(lastLoudAt) {
    this.#recent.push(lastLoudAt !== null);
    if (this.#recent.length > FRAMES_LOOKED_AT) this.#recent.shift();
    const loud = this.#recent.filter(Boolean).length;
    if (lastLoudAt === null || loud < LOUD_FRAMES_OF_SPEECH) return;
    this.#edges.push(lastLoudAt);
    while (this.#edges[0] < lastLoudAt - KEPT_MS) this.#edges.shift();
  }

  /** Page milliseconds of the last loud sample before `at`, a minute back at most; NaN when there was none. */
  lastBefore(at) {
    return this.#edges.findLast((edge) => edge < at) ?? NaN;
  }
}
