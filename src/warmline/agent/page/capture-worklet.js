import { Resampler } from "./resampler.js";

const WIRE_HZ = 16000;
const FRAME_SAMPLES = 320;
const LOUD = 0.01; // -40 dBFS, as the measuring caller has it

/**
 * The microphone as 20 ms frames of signed 16 bit PCM at 16 kHz.
 *
 * Each frame is posted as `{pcm, atSec, rms, peak, lastLoudSec}`: `atSec` is when its first sample was captured and
 * `lastLoudSec` when its last sample above -40 dBFS was (null without one), both on the context's clock.
 */
class Capture extends AudioWorkletProcessor {
  #resampler = sampleRate === WIRE_HZ ? null : new Resampler(sampleRate, WIRE_HZ);
  #frame = new Int16Array(FRAME_SAMPLES);
  #filled = 0;
  #startSec = 0;
  #squares = 0;
  #peak = 0;
  #lastLoud = -1;

  process([[samples]]) {
    if (!samples) return true;
    const block = this.#resampler ? this.#resampler.push(samples) : samples;
    const delaySec = this.#resampler ? this.#resampler.delaySec : 0;
    for (let index = 0; index < block.length; index++) {
      if (this.#filled === 0) this.#startSec = currentTime + index / WIRE_HZ - delaySec;
      this.#take(block[index]);
      if (this.#filled === FRAME_SAMPLES) this.#post();
    }
    return true;
  }

  #take(sample) {
    const clipped = Math.max(-1, Math.min(1, sample));
    const size = Math.abs(clipped);
    if (size > this.#peak) this.#peak = size;
    if (size >= LOUD) this.#lastLoud = this.#filled;
    this.#squares += clipped * clipped;
    this.#frame[this.#filled++] = Math.round(clipped * 32767);
  }

  #post() {
    const pcm = this.#frame.buffer;
    const atSec = this.#startSec;
    const lastLoudSec = this.#lastLoud < 0 ? null : atSec + this.#lastLoud / WIRE_HZ;
    const rms = Math.sqrt(this.#squares / FRAME_SAMPLES);
    this.port.postMessage({ pcm, atSec, rms, peak: this.#peak, lastLoudSec }, [pcm]);
    this.#frame = new Int16Array(FRAME_SAMPLES);
    this.#filled = this.#squares = this.#peak = 0;
    this.#lastLoud = -1;
  }
}

registerProcessor("capture", Capture);
