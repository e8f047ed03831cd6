const MOST_EVENTS = 5000;
const MOST_LEVELS = 3000; // about a minute each

/**
 * What happened on this page, bounded, for tests and for the curious: `window.warmline`, read-only.
 *
 * Every look gives copies. `events` carry `at`, `levels` are `{at, rms, peak}`; times are `performance.now()`.
 */
export class Record {
  #events = [];
  #levels = { microphone: [], agent: [] };

  event(event) {
    keep(this.#events, event, MOST_EVENTS);
  }

  level(side, { at, rms, peak }) {
    keep(this.#levels[side], { at, rms, peak }, MOST_LEVELS);
  }

  get events() {
    return structuredClone(this.#events);
  }

  get levels() {
    return structuredClone(this.#levels);
  }
}

/** Show `readers` (name to function) as properties of `window.warmline` that nobody can write. */
export function publish(readers) {
  const properties = Object.entries(readers).map(([name, get]) => [name, { get, enumerable: true }]);
  const shown = Object.freeze(Object.defineProperties({}, Object.fromEntries(properties)));
  Object.defineProperty(window, "warmline", { value: shown, enumerable: true });
}

function keep(list, item, most) {
  list.push(item);
  if (list.length > most) list.shift();
}
