import { Controls } from "./controls.js";
import { LevelMeter } from "./level-meter.js";
import { Line } from "./line.js";
import { milliseconds } from "./milliseconds.js";
import { activityAfter } from "./phases.js";
import { TimingSection } from "./timing-section.js";
import { Transcript } from "./transcript.js";

const CALM_FRAME_MS = 250; // between two pictures for someone who asked for less motion
const UNANSWERED_MS = 8000; // a cough gets no answer
const byId = (id) => document.getElementById(id);

/** Everything that a caller sees of a call. Is told what happens; does nothing by itself but draw. */
export class Screen {
  #controls;
  #transcript = new Transcript(byId("transcript"));
  #timing = new TimingSection(byId("timing-empty"), byId("timing-body"));
  #line = new Line(byId("line"));
  #meters = { microphone: new LevelMeter(byId("meter-you")), agent: new LevelMeter(byId("meter-agent")) };
  #calm = matchMedia("(prefers-reduced-motion: reduce)");
  #drawnAt = 0;
  #unanswered = 0;

  /** @param {{onPress: (at: number) => void, onEscape: () => void}} reactions */
  constructor(reactions) {
    this.#controls = new Controls(reactions);
  }

  get controls() {
    return this.#controls;
  }

  /** A call is being made: yesterday's text and numbers go. */
  connecting() {
    this.#transcript.clear();
    this.#timing.clear();
    this.#line.clear();
    this.#controls.notify(null);
    this.#controls.setPhase("connecting");
    requestAnimationFrame((now) => this.#draw(now));
  }

  /** @param {{type: string, at: number}} event of the server or of the page */
  take(event) {
    if (event.type === "ready") this.#controls.admit(event);
    this.#controls.setActivity(activityAfter(event, this.#controls.activity));
    this.#transcript.take(event);
    if (event.type === "user_stopped") this.#giveUpLater();
  }

  #giveUpLater() {
    clearTimeout(this.#unanswered);
    this.#unanswered = setTimeout(() => {
      if (this.#controls.activity === "thinking") this.#controls.setActivity("listening");
    }, UNANSWERED_MS);
  }

  /** The first sample of an answer was heard, `waitMs` after the caller's last (for the greeting: after the click). */
  heard(turn, at, waitMs) {
    this.#line.wait(at - waitMs, at);
    const since = turn === 0 ? "the click" : "your last sound";
    this.#transcript.note(turn, "heard", `heard ${milliseconds(waitMs)} after ${since}`);
  }

  level(side, level) {
    this.#line.level(side, level);
    this.#meters[side].set(level.peak);
  }

  showTiming(timing, outputLatencyMs) {
    this.#timing.show(timing, outputLatencyMs);
  }

  /** The call is over; `ending` says what there is to tell (null: nothing). */
  finished(phase, ending) {
    this.#controls.setPhase(phase);
    this.#controls.notify(ending);
    for (const meter of Object.values(this.#meters)) meter.reset();
  }

  #draw(now) {
    if (!this.#controls.busy) return;
    requestAnimationFrame((next) => this.#draw(next));
    const elapsedMs = now - this.#drawnAt;
    if (this.#calm.matches && elapsedMs < CALM_FRAME_MS) return;
    this.#drawnAt = now;
    for (const meter of Object.values(this.#meters)) meter.draw(now, elapsedMs);
    if (!this.#calm.matches) this.#line.draw(now);
    this.#controls.tick(now);
  }
}
