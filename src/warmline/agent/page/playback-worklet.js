const LOUD = 0.01; // -40 dBFS, as the measuring caller has it
const LEVEL_SAMPLES = 256;
const FADE_SAMPLES = 48; // 3 ms: a flush must not click

/**
 * Plays signed 16 bit PCM at the context's rate as soon as it comes.
 *
 * Takes `{pcm}`, `{begin: turn}` (what follows is this answer), `{end: turn}` (it is complete) and `{flush: true}`
 * (drop everything that is buffered). Posts `{level: {atSec, rms, peak}}`, `{audible: turn, atSec}` at the first
 * sample of an answer above -40 dBFS, `{ended: turn}` when its last sample was played, `{gap: turn}` when the answer
 * is incomplete and nothing is buffered, and `{flushed: samples}`; times are on the context's clock.
 */
class Playback extends AudioWorkletProcessor {
  #queue = [];
  #position = 0;
  #buffered = 0;
  #turn = null;
  #heard = false;
  #starved = false;
  #last = 0;
  #fade = 0;
  #squares = 0;
  #peak = 0;
  #measured = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#receive(data);
  }

  process(_inputs, [[output]]) {
    for (let index = 0; index < output.length; index++) output[index] = this.#next(index);
    this.#measure(output);
    return true;
  }

  #receive(message) {
    if (message.flush) this.#flush();
    else if (message.pcm) this.#enqueue(new Int16Array(message.pcm));
    else this.#queue.push(message);
  }

  #enqueue(samples) {
    this.#queue.push(samples);
    this.#buffered += samples.length;
  }

  #flush() {
    this.port.postMessage({ flushed: this.#buffered - this.#position });
    this.#queue = [];
    this.#position = this.#buffered = 0;
    this.#turn = null;
    this.#fade = FADE_SAMPLES;
  }

  #next(index) {
    while (this.#queue.length > 0) {
      const head = this.#queue[0];
      if (!(head instanceof Int16Array)) this.#mark(this.#queue.shift());
      else if (this.#position < head.length) return this.#play(head[this.#position++] / 32768, index);
      else this.#drop(head);
    }
    return this.#silence();
  }

  #drop(head) {
    this.#queue.shift();
    this.#buffered -= head.length;
    this.#position = 0;
  }

  #mark({ begin, end }) {
    if (begin !== undefined) {
      this.#turn = begin;
      this.#heard = false;
    } else if (this.#turn === end) {
      this.#turn = null;
      this.port.postMessage({ ended: end });
    }
  }

  #play(sample, index) {
    this.#starved = false;
    this.#last = sample;
    if (this.#turn !== null && !this.#heard && Math.abs(sample) >= LOUD) {
      this.#heard = true;
      this.port.postMessage({ audible: this.#turn, atSec: currentTime + index / sampleRate });
    }
    return sample;
  }

  #silence() {
    if (this.#turn !== null && this.#heard && !this.#starved) {
      this.#starved = true;
      this.port.postMessage({ gap: this.#turn });
    }
    return this.#fade > 0 ? (this.#last * --this.#fade) / FADE_SAMPLES : 0;
  }

  #measure(output) {
    for (const sample of output) {
      this.#squares += sample * sample;
      this.#peak = Math.max(this.#peak, Math.abs(sample));
    }
    this.#measured += output.length;
    if (this.#measured < LEVEL_SAMPLES) return;
    const level = { atSec: currentTime, rms: Math.sqrt(this.#squares / this.#measured), peak: this.#peak };
    this.port.postMessage({ level });
    this.#squares = this.#peak = this.#measured = 0;
  }
}

registerProcessor("playback", Playback);
