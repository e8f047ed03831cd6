const FLOOR_DB = -60;
const FALL_PER_MS = 0.0035;
const SPOKEN_EVERY_MS = 500; // a screen reader that follows the meter must not drown in it

/** dBFS of a linear level, not below the meter's floor of -60. */
export function decibels(level) {
  return level > 0 ? Math.max(FLOOR_DB, 20 * Math.log10(level)) : FLOOR_DB;
}

/** 0 (-60 dBFS and below) to 1 (full scale). */
export function fraction(level) {
  return 1 - decibels(level) / FLOOR_DB;
}

/** A level bar that jumps up and falls slowly. */
export class LevelMeter {
  #root;
  #shown = 0;
  #target = 0;
  #spokenAt = 0;

  constructor(root) {
    this.#root = root;
  }

  /** @param {number} level linear, 0..1 */
  set(level) {
    this.#target = fraction(level);
    this.#shown = Math.max(this.#shown, this.#target);
  }

  draw(now, elapsedMs) {
    this.#shown = Math.max(this.#target, this.#shown - elapsedMs * FALL_PER_MS);
    this.#root.style.setProperty("--level", this.#shown.toFixed(3));
    if (now - this.#spokenAt < SPOKEN_EVERY_MS) return;
    this.#spokenAt = now;
    const shownDb = Math.round(FLOOR_DB * (1 - this.#shown));
    this.#root.setAttribute("aria-valuenow", String(shownDb));
    this.#root.setAttribute("aria-valuetext", shownDb <= FLOOR_DB ? "silent" : `${shownDb} decibels`);
  }

  reset() {
    this.#shown = this.#target = this.#spokenAt = 0;
    this.draw(SPOKEN_EVERY_MS, 0);
  }
}
