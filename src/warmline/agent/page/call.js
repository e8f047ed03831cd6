const LONGEST_BACKLOG_FRAMES = 250; // 5 s of speech before the socket is open
const GOODBYE_MS = 2000;

/**
 * One call: the WebSocket, and what goes over it (see docs/reference/wire-protocol.md).
 *
 * Reports everything that happens through `emit({type, at, ...})`: the server's events as they came, and the page's
 * own `socket_open` and `closed {code, reason}`. `at` is `performance.now()`.
 */
export class Call {
  #socket;
  #audio;
  #emit;
  #ticket;
  #backlog = [];
  #lastError = null;
  #leaving = false;
  counters = { framesSent: 0, framesDropped: 0, framesReceived: 0, bytesReceived: 0, eventsReceived: 0 };

  constructor({ url, ticket, audio, emit }) {
    this.#audio = audio;
    this.#emit = emit;
    this.#ticket = ticket;
    this.#socket = new WebSocket(url);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => this.#open();
    this.#socket.onmessage = ({ data }) => (typeof data === "string" ? this.#event(data) : this.#frame(data));
    this.#socket.onclose = ({ code, reason }) => this.#finish(code, reason);
  }

  /** Send 20 ms of the microphone; kept, in order, until the socket is open. */
  send(pcm) {
    if (this.#leaving) return;
    if (this.#socket.readyState === WebSocket.OPEN) this.#transmit(pcm);
    else if (this.#socket.readyState === WebSocket.CONNECTING) this.#keep(pcm);
  }

  /** Say goodbye; the server closes. One that does not is left after two seconds. Harmless after the end. */
  hangUp() {
    this.#leaving = true;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type: "bye" }));
    else this.#socket.close();
    setTimeout(() => this.#socket.close(), GOODBYE_MS);
  }

  #open() {
    this.#emit({ type: "socket_open", at: performance.now() });
    if (this.#ticket) this.#socket.send(JSON.stringify({ type: "hello", ticket: this.#ticket }));
    this.#ticket = null;
    for (const pcm of this.#backlog.splice(0)) this.#transmit(pcm);
  }

  #transmit(pcm) {
    this.#socket.send(pcm);
    this.counters.framesSent += 1;
  }

  #keep(pcm) {
    this.#backlog.push(pcm);
    if (this.#backlog.length <= LONGEST_BACKLOG_FRAMES) return;
    this.#backlog.shift();
    this.counters.framesDropped += 1;
  }

  #frame(pcm) {
    this.counters.framesReceived += 1;
    this.counters.bytesReceived += pcm.byteLength;
    if (!this.#leaving) this.#audio.play(pcm);
  }

  #event(text) {
    const at = performance.now();
    const event = JSON.parse(text);
    this.counters.eventsReceived += 1;
    if (event.type === "error") this.#lastError = event;
    if (!this.#leaving) this.#steer(event);
    this.#emit({ ...event, at });
  }

  #steer(event) {
    if (event.type === "bot_started") this.#audio.beginAnswer(event.turn);
    if (event.type === "bot_stopped") this.#audio.endAnswer(event.turn);
    if (event.type === "flush") this.#audio.flush();
  }

  #finish(code, reason) {
    this.#emit({ type: "closed", at: performance.now(), code, reason: this.#lastError?.reason || reason });
  }
}
