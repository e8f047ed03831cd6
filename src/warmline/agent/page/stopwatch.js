import { SpeechEdge } from "./speech-edge.js";

/**
 * Gathers the times of one call from its events, in the order they come.
 *
 * The page's own measures are in `performance.now()`: `asked` (the click, or the moment the browser's question about
 * the microphone was answered), `socket_open`, the caller's last loud sample before `user_stopped`, and `audible`. The
 * server's stages are on its `t_ms` clock; `serverOffset` brings them onto the page's: the smallest (arrival - t_ms)
 * of any event, so they are placed late by the fastest message's time on the way.
 */
export class Stopwatch {
  askedAt = NaN;
  socketOpenAt = NaN;
  serverOffset = Infinity;
  greeting = newTurn(0);
  turns = [];
  #edge = new SpeechEdge();

  /** 20 ms of the microphone went by. @param {number | null} lastLoudAt its last sample above -40 dBFS */
  hear(lastLoudAt) {
    this.#edge.push(lastLoudAt);
  }

  take({ type, at, t_ms: serverMs, turn, stages, interrupted }) {
    if (Number.isFinite(serverMs)) this.serverOffset = Math.min(this.serverOffset, at - serverMs);
    if (type === "asked") this.askedAt = at;
    if (type === "socket_open") this.socketOpenAt = at;
    if (type === "user_stopped") this.#turn(turn).lastLoudAt = this.#edge.lastLoudAt ?? NaN;
    if (type === "audible") this.#turn(turn).audibleAt = at;
    if (type === "turn") Object.assign(this.#turn(turn), { stages, interrupted: Boolean(interrupted) });
  }

  #turn(number) {
    if (number === 0) return this.greeting;
    let found = this.turns.find(({ turn }) => turn === number);
    if (!found) {
      found = newTurn(number);
      this.turns.push(found);
    }
    return found;
  }
}

function newTurn(turn) {
  return { turn, lastLoudAt: NaN, audibleAt: NaN, stages: null, interrupted: false };
}
