import { Audio } from "./audio.js";
import { Call } from "./call.js";
import { endingOfClose, endingOfLostMicrophone, endingOfMicrophone } from "./endings.js";
import { Record, publish } from "./record.js";
import { Screen } from "./screen.js";
import { Stopwatch } from "./stopwatch.js";
import { timingOf } from "./timing.js";

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Joins the parts: the button opens a call; what happens in it goes to everyone who measures, shows or records it. */
class App {
  #record = new Record();
  #screen = new Screen({ onPress: (at) => this.#press(at), onEscape: () => this.#hangUp() });
  #audio = new Audio({
    onFrame: (frame) => this.#frame(frame),
    onPlayed: (message) => this.#played(message),
    onMicrophoneLost: () => this.#finish(endingOfLostMicrophone()),
  });
  #stopwatch = new Stopwatch();
  #microphoneAllowed = false;
  #attempt = 0;
  #call = null;
  #progress = {};
  #playback = {};

  constructor() {
    this.#audio.prepare().catch(() => undefined); // the click tries again, and tells
    void this.#watchPermission();
    if (!LOOPBACK.test(location.hostname)) this.#screen.controls.offerTicket();
    publish({
      phase: () => this.#screen.controls.phase,
      activity: () => this.#screen.controls.activity,
      events: () => this.#record.events,
      levels: () => this.#record.levels,
      counters: () => ({ ...this.#call?.counters, ...this.#playback }),
      timing: () => timingOf(this.#stopwatch),
    });
  }

  async #watchPermission() {
    const permission = await navigator.permissions?.query({ name: "microphone" }).catch(() => null);
    const note = () => (this.#microphoneAllowed = permission?.state === "granted");
    permission?.addEventListener("change", note);
    note();
  }

  #press(at) {
    if (this.#screen.controls.busy) this.#hangUp();
    else void this.#connect(at);
  }

  async #connect(clickedAt) {
    const attempt = this.#begin(clickedAt);
    const opening = Promise.all([this.#audio.start(), this.#audio.openMicrophone()]);
    try {
      // A caller who is reading the browser's question must not miss the greeting: then the call waits for the answer.
      const wasAllowed = this.#microphoneAllowed;
      if (!wasAllowed) await opening;
      if (attempt !== this.#attempt) return;
      this.#take({ type: "asked", at: wasAllowed ? clickedAt : performance.now() });
      this.#dial(attempt);
      await opening;
      this.#take({ type: "microphone_open", at: performance.now() });
    } catch (error) {
      if (attempt === this.#attempt) this.#finish(endingOfMicrophone(error));
    }
  }

  #begin(clickedAt) {
    this.#attempt += 1;
    this.#call = null;
    this.#stopwatch = new Stopwatch();
    this.#playback = { gaps: 0, flushedSamples: 0 };
    this.#progress = { opened: false, admitted: false, ticketSent: this.#screen.controls.ticket !== "" };
    this.#screen.connecting();
    this.#take({ type: "click", at: clickedAt });
    return this.#attempt;
  }

  #dial(attempt) {
    const url = new URL("ws", document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    const emit = (event) => (attempt === this.#attempt ? this.#take(event) : this.#record.event(event));
    this.#call = new Call({ url, ticket: this.#screen.controls.ticket, audio: this.#audio, emit });
  }

  #take(event) {
    this.#record.event(event);
    this.#stopwatch.take(event);
    this.#screen.take(event);
    if (event.type === "socket_open") this.#progress.opened = true;
    if (event.type === "ready") this.#progress.admitted = true;
    if (event.type === "audible" || event.type === "turn") this.#showTiming(event.turn);
    if (event.type === "closed") this.#finish(endingOfClose(event, this.#progress));
  }

  #showTiming(turn) {
    const timing = timingOf(this.#stopwatch);
    const row = turn === 0 ? timing.greeting : timing.turns.find((one) => one.turn === turn);
    if (row.atEar) this.#screen.heard(turn, row.heardAt, row.totalMs);
    this.#screen.showTiming(timing, this.#audio.outputLatencyMs);
  }

  #frame({ pcm, at, rms, peak, lastLoudAt }) {
    this.#stopwatch.hear(lastLoudAt);
    this.#level("microphone", { at, rms, peak });
    this.#call?.send(pcm);
  }

  #played({ level, audible, ended, gap, flushed, at }) {
    if (level) this.#level("agent", level);
    if (audible !== undefined) this.#take({ type: "audible", turn: audible, at });
    if (ended !== undefined) this.#take({ type: "ended", turn: ended, at: performance.now() });
    if (gap !== undefined) this.#playback.gaps += 1;
    if (flushed !== undefined) this.#playback.flushedSamples += flushed;
  }

  #level(side, level) {
    this.#record.level(side, level);
    this.#screen.level(side, level);
  }

  #hangUp() {
    if (this.#screen.controls.busy) this.#finish(null);
  }

  #finish(ending) {
    this.#attempt += 1; // what still comes of this call is recorded, no longer shown
    this.#call?.hangUp();
    void this.#audio.stop();
    this.#screen.finished(this.#progress.admitted ? "ended" : ending ? "failed" : "idle", ending);
  }
}

new App();
