import { ContextClock } from "./context-clock.js";

const WIRE_HZ = 16000;
// No automatic gain: it is still searching during the caller's first words, and the recogniser hears those worst then.
const MICROPHONE = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: false };

/**
 * The page's ear and mouth: a microphone and a loudspeaker at 16 kHz.
 *
 * `prepare` builds everything that needs no permission, before anyone clicks. Between calls the context is suspended,
 * not closed: the next call finds it warm. Reports through the callbacks; all times are `performance.now()`.
 *
 * - `onFrame({pcm, at, rms, peak, lastLoudAt})`: 20 ms of the microphone
 * - `onPlayed({level} | {audible, at} | {ended} | {gap} | {flushed})`: what the loudspeaker did
 * - `onMicrophoneLost()`: the device went away
 */
export class Audio {
  #onFrame;
  #onPlayed;
  #onMicrophoneLost;
  #context;
  #clock;
  #playback;
  #microphone = null;
  #ready = null;
  #wanted = false;

  constructor({ onFrame, onPlayed, onMicrophoneLost }) {
    this.#onFrame = onFrame;
    this.#onPlayed = onPlayed;
    this.#onMicrophoneLost = onMicrophoneLost;
  }

  /** Load the worklets and join the loudspeaker's nodes; once, further calls wait for the same. */
  prepare() {
    this.#ready ??= this.#build().catch((error) => {
      this.#ready = null; // the next click tries again
      throw error;
    });
    return this.#ready;
  }

  /** Let sound flow. Must begin in the click itself: browsers allow it there alone. */
  async start() {
    this.#wanted = true;
    const ready = this.prepare();
    this.#clock?.reset();
    await Promise.all([ready, this.#context?.resume()]);
  }

  /** Ask for the microphone and join it; rejects with the browser's `DOMException`. */
  async openMicrophone() {
    if (!navigator.mediaDevices) throw new DOMException("no microphone outside a secure context", "SecurityError");
    const stream = await navigator.mediaDevices.getUserMedia({ audio: MICROPHONE });
    await this.prepare();
    const microphone = await connectMicrophone(stream, this.#context, this.#clock, this.#onFrame);
    if (!this.#wanted) return microphone.close(); // the caller cancelled while the browser was asking
    this.#microphone = microphone;
    stream.getAudioTracks()[0].addEventListener("ended", this.#onMicrophoneLost);
  }

  /** @param {ArrayBuffer} pcm signed 16 bit at 16 kHz; it is handed over */
  play(pcm) {
    this.#playback.port.postMessage({ pcm }, [pcm]);
  }

  beginAnswer(turn) {
    this.#playback.port.postMessage({ begin: turn });
  }

  endAnswer(turn) {
    this.#playback.port.postMessage({ end: turn });
  }

  flush() {
    this.#playback.port.postMessage({ flush: true });
  }

  /** What the sound card adds after the page's last measure, in ms; NaN where the browser does not say. */
  get outputLatencyMs() {
    return (this.#context?.outputLatency ?? NaN) * 1000;
  }

  /** Give the microphone back at once and fall silent. */
  async stop() {
    this.#wanted = false;
    const microphone = this.#microphone;
    this.#microphone = null;
    this.#playback?.port.postMessage({ flush: true });
    await microphone?.close();
    if (!this.#wanted) await this.#context?.suspend();
  }

  async #build() {
    this.#context = new AudioContext({ sampleRate: WIRE_HZ, latencyHint: "interactive" });
    this.#clock = new ContextClock(this.#context);
    void this.#context.suspend();
    await Promise.all([loadWorklet(this.#context, "playback"), loadWorklet(this.#context, "capture")]);
    this.#playback = new AudioWorkletNode(this.#context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#playback.port.onmessage = ({ data }) => this.#report(data);
    this.#playback.connect(this.#context.destination);
  }

  #report(message) {
    this.#clock.observe();
    if (message.level) message.level.at = this.#clock.toPage(message.level.atSec);
    if (message.audible === undefined) this.#onPlayed(message);
    else void this.#reportAudible(message);
  }

  /** The first sound of a call comes before its clock is true: its time is told when it is. */
  async #reportAudible({ audible, atSec }) {
    while (this.#clock.settleMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#clock.settleMs + 30));
    this.#clock.observe();
    this.#onPlayed({ audible, at: this.#clock.toPage(atSec) });
  }
}

function loadWorklet(context, name) {
  return context.audioWorklet.addModule(new URL(`./${name}-worklet.js`, import.meta.url));
}

async function connectMicrophone(stream, context, clock, onFrame) {
  const own = await contextFor(stream, context);
  const ownClock = own.context === context ? clock : new ContextClock(own.context);
  const mono = { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" };
  const capture = new AudioWorkletNode(own.context, "capture", mono);
  capture.port.onmessage = ({ data }) => {
    ownClock.observe();
    const lastLoudAt = data.lastLoudSec === null ? null : ownClock.toPage(data.lastLoudSec);
    onFrame({ pcm: data.pcm, at: ownClock.toPage(data.atSec), rms: data.rms, peak: data.peak, lastLoudAt });
  };
  own.source.connect(capture);
  return { close: () => closeMicrophone(stream, own, capture, context) };
}

async function contextFor(stream, context) {
  try {
    return { context, source: context.createMediaStreamSource(stream) };
  } catch (error) {
    if (error.name !== "NotSupportedError") throw error;
  }
  // Firefox joins a microphone only to a context of the device's own rate; the worklet brings it down to 16 kHz.
  const native = new AudioContext();
  await loadWorklet(native, "capture");
  return { context: native, source: native.createMediaStreamSource(stream) };
}

async function closeMicrophone(stream, { source, context: own }, capture, shared) {
  for (const track of stream.getTracks()) track.stop();
  source.disconnect();
  capture.port.onmessage = null;
  if (own !== shared) await own.close();
}
