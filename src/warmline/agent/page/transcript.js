import { element } from "./element.js";

const UNHEARD_MS = 6000;

/** The conversation as text, both sides, as it happens. */
export class Transcript {
  #root;
  #pending = new Map();
  #answers = new Map();
  #notes = new Map();
  #agentName = "Agent";

  constructor(root) {
    this.#root = root;
  }

  clear() {
    this.#root.replaceChildren();
    this.#pending.clear();
    this.#answers.clear();
    this.#notes.clear();
  }

  take(event) {
    if (event.type === "ready" && event.agent) this.#agentName = event.agent;
    if (event.type === "user_started") this.#await("you", event.turn);
    if (event.type === "user_stopped") setTimeout(() => this.#forget("you", event.turn), UNHEARD_MS);
    if (event.type === "transcript") this.#say("you", event.turn, event.text);
    if (event.type === "bot_started") this.#await("agent", event.turn);
    if (event.type === "reply") this.#say("agent", event.turn, event.text);
    if (event.type === "flush") this.note(event.turn, "interrupted", "interrupted");
    if (event.type === "closed") this.#forgetAll();
  }

  /** Put a remark under an answer, one of each kind; it may come before the answer's text. */
  note(turn, kind, text) {
    if (!this.#notes.has(turn)) this.#notes.set(turn, new Map());
    this.#notes.get(turn).set(kind, text);
    this.#showNotes(turn);
  }

  #showNotes(turn) {
    const texts = this.#notes.get(turn)?.values() ?? [];
    const shown = Array.from(texts, (text) => element("span", { class: "note", text }));
    this.#answers
      .get(turn)
      ?.querySelector(".notes")
      .replaceChildren(...shown);
    this.#follow();
  }

  #await(side, turn) {
    const key = `${side} ${turn}`;
    if (this.#pending.has(key) || (side === "agent" && this.#answers.has(turn))) return;
    const dots = element("p", { class: "words waiting", text: "\u2026" });
    const entry = element(
      "div",
      { class: `entry entry-${side}`, attributes: { "aria-hidden": "true" } },
      this.#who(side),
      dots,
    );
    this.#pending.set(key, entry);
    this.#append(entry);
  }

  #say(side, turn, text) {
    const words = element("p", { class: "words", text: text || "(nothing understood)" });
    const entry = element(
      "div",
      { class: `entry entry-${side}` },
      this.#who(side),
      words,
      element("p", { class: "notes" }),
    );
    if (side === "agent") this.#answers.set(turn, entry);
    // A fresh node in place of the dots: screen readers announce what is added, not what changes.
    const pending = this.#pending.get(`${side} ${turn}`);
    this.#pending.delete(`${side} ${turn}`);
    if (pending) pending.replaceWith(entry);
    else this.#append(entry);
    if (side === "agent") this.#showNotes(turn);
    this.#follow();
  }

  #who(side) {
    return element("p", { class: "who", text: side === "you" ? "You" : this.#agentName });
  }

  #forget(side, turn) {
    this.#pending.get(`${side} ${turn}`)?.remove();
    this.#pending.delete(`${side} ${turn}`);
  }

  #forgetAll() {
    for (const entry of this.#pending.values()) entry.remove();
    this.#pending.clear();
  }

  #append(entry) {
    this.#root.append(entry);
    this.#follow();
  }

  #follow() {
    this.#root.scrollTop = this.#root.scrollHeight;
  }
}
