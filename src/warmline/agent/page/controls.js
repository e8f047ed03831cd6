import { ACTIVITIES, PHASES } from "./phases.js";

const WARMTH = { all: "Agent was warm", imports: "Only its imports were warm", none: "Agent was cold" };
const byId = (id) => document.getElementById(id);

/** The button, the status line, the notice and the token field: what the page says of itself. */
export class Controls {
  #phase = "idle";
  #activity = "listening";
  #admittedAt = NaN;

  /** @param {{onPress: (at: number) => void, onEscape: () => void}} reactions `at` is when the button was pressed */
  constructor({ onPress, onEscape }) {
    byId("connect").addEventListener("click", ({ timeStamp }) => onPress(timeStamp));
    byId("ticket-form").addEventListener("submit", (event) => {
      event.preventDefault(); // the token goes into a message of the WebSocket, nowhere else
      byId("connect").focus();
      onPress(event.timeStamp);
    });
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") onEscape();
    });
  }

  get phase() {
    return this.#phase;
  }

  /** True while a call is made or held. */
  get busy() {
    return this.#phase === "connecting" || this.#phase === "in-call";
  }

  get activity() {
    return this.#activity;
  }

  setPhase(phase) {
    this.#phase = phase;
    const { title, button, status, layout } = PHASES[phase];
    document.body.dataset.phase = phase;
    document.body.dataset.layout = layout;
    if (title) byId("title").textContent = title;
    byId("connect-label").textContent = button;
    byId("status").textContent = status;
    byId("transcript").hidden = layout === "opening";
    byId("activity").hidden = phase !== "in-call";
    if (phase === "connecting") byId("lasted").hidden = true;
    if (this.busy) byId("connect").setAttribute("aria-keyshortcuts", "Escape");
    else byId("connect").removeAttribute("aria-keyshortcuts");
  }

  setActivity(activity) {
    if (activity === this.#activity) return;
    this.#activity = activity;
    document.body.dataset.activity = activity;
    byId("activity-text").textContent = ACTIVITIES[activity];
  }

  /** @param {{agent: string, warm: string, at: number}} ready */
  admit({ agent, warm, at }) {
    this.#admittedAt = at;
    byId("title").textContent = agent ? `Talking with ${agent}` : "Talking";
    byId("warmth").textContent = WARMTH[warm] ?? "";
    byId("warmth").hidden = !WARMTH[warm];
    byId("ticket-form").hidden = true;
    this.setPhase("in-call");
  }

  /** Bring the length of the call up to date. */
  tick(now) {
    if (this.#phase !== "in-call") return;
    const seconds = Math.max(0, Math.floor((now - this.#admittedAt) / 1000));
    const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    byId("lasted").hidden = false;
    if (byId("lasted").textContent !== text) byId("lasted").textContent = text;
  }

  /** Say what went wrong and what to do; null takes it back. */
  notify(ending) {
    byId("notice").hidden = !ending;
    byId("notice").dataset.kind = ending?.asksTicket ? "question" : "alarm";
    byId("notice-title").textContent = ending?.title ?? "";
    byId("notice-advice").textContent = ending?.advice ?? "";
    if (ending?.asksTicket) this.#askTicket();
  }

  /** Show the token field before anyone asks: beyond loopback the server always wants one. */
  offerTicket() {
    byId("ticket-form").hidden = false;
  }

  #askTicket() {
    this.offerTicket();
    byId("ticket").select();
  }

  /** The token as typed; empty when none was asked for. */
  get ticket() {
    return byId("ticket").value;
  }
}
