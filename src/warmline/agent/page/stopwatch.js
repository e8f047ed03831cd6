import { SpeechEdge } from "./speech-edge.js";

/**
 * Gathers the times of one call from its events, in the order they come.
 *
 * The page's own measures are in `performance.now()`: `asked` (the click, or the moment the browser's question about
 * the microphone was answered), `socket_open`, the caller's last loud sample, and `audible`. The server's stages are on
 * its `t_ms` clock; `serverOffset` brings them onto the page's: the smallest (arrival - t_ms) of any event, so they are
 * placed late by the fastest message's time on the way.
 *
 * The caller's last loud sample is the last before `user_stopped` at first. That event waits for the transcript, so
 * once the stages are known it is the last before the server noticed the silence: what came later is no part of it.
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
    if (type === "user_stopped") this.#turn(turn).lastLoudAt = this.#edge.lastBefore(at);
    if (type === "audible") this.#turn(turn).audibleAt = at;
    if (type === "turn") this.#finish(this.#turn(turn), stages, interrupted);
  }

  #finish(turn, stages, interrupted) {
    Object.assign(turn, { stages, interrupted: Boolean(interrupted) });
    const noticedAt = this.serverOffset + (stages?.vad_stop ?? NaN);
    if (Number.isFinite(noticedAt)) turn.lastLoudAt = this.#edge.lastBefore(noticedAt);
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
