import { median } from "./milliseconds.js";
import { GREETING_STAGES, TURN_STAGES } from "./stages.js";

/**
 * What the stopwatch says, as waits in a row.
 *
 * Every row is `{turn, bars, totalMs, heardAt, atEar, staged, interrupted}`: `bars` are `{moment, label, family,
 * startMs, endMs}` from zero; `heardAt` is the page's time of the first sound; `totalMs` is the voice-to-voice time
 * (for the greeting: click to sound), NaN while unknown. Zero is the caller's last loud sample (the click); `atEar` is
 * false when that was not measured and zero is the server's `speech_end` instead; `staged` is false until the server's
 * stages have come.
 *
 * @param {import("./stopwatch.js").Stopwatch} stopwatch
 */
export function timingOf(stopwatch) {
  const greeting = greetingRow(stopwatch);
  const turns = stopwatch.turns.filter(isAnswered).map((turn) => turnRow(turn, stopwatch.serverOffset));
  const [first, ...others] = turns;
  const whole = others.filter(({ totalMs }) => Number.isFinite(totalMs));
  const medianOfOthers = whole.length > 0 ? medianRow(whole) : null;
  const coldTaxMs = first && medianOfOthers ? first.totalMs - medianOfOthers.totalMs : NaN;
  return { greeting, turns, first: first ?? null, medianOfOthers, others: whole.length, coldTaxMs };
}

function isAnswered({ stages, audibleAt }) {
  return stages !== null || Number.isFinite(audibleAt);
}

function greetingRow({ askedAt, socketOpenAt, serverOffset, greeting }) {
  const moments = serverMoments(greeting.stages, serverOffset, askedAt);
  moments.socket_open = socketOpenAt - askedAt;
  moments.audible = greeting.audibleAt - askedAt;
  return row(greeting, moments, GREETING_STAGES, Number.isFinite(moments.audible));
}

function turnRow(turn, serverOffset) {
  const atEar = Number.isFinite(turn.lastLoudAt) && Number.isFinite(turn.audibleAt);
  const zero = atEar ? turn.lastLoudAt : serverOffset + (turn.stages?.speech_end ?? NaN);
  const moments = serverMoments(turn.stages, serverOffset, zero);
  moments.audible = turn.audibleAt - zero;
  return row(turn, moments, TURN_STAGES, atEar);
}

function serverMoments(stages, serverOffset, zero) {
  return Object.fromEntries(Object.entries(stages ?? {}).map(([name, ms]) => [name, ms + serverOffset - zero]));
}

function row({ turn, interrupted, audibleAt }, moments, stages, atEar) {
  const totalMs = moments.audible ?? NaN;
  const staged = Number.isFinite(moments.first_audio_sent);
  return { turn, interrupted, heardAt: audibleAt, atEar, staged, totalMs, bars: barsOf(moments, stages, totalMs) };
}

/** Stages that ran beside an earlier, longer one get a bar of no length: a wait is counted once. */
function barsOf(moments, stages, totalMs) {
  const most = Number.isFinite(totalMs) ? totalMs : Infinity;
  const bars = [];
  let startMs = 0;
  for (const { moment, label, family } of stages) {
    if (!Number.isFinite(moments[moment])) continue;
    const endMs = Math.min(most, Math.max(startMs, moments[moment]));
    bars.push({ moment, label, family, startMs, endMs });
    startMs = endMs;
  }
  return bars;
}

/** The median of each moment over the rows that know it; so the last is the median of the totals. */
function medianRow(rows) {
  const staged = rows.filter((one) => one.staged);
  const ends = {};
  for (const { moment } of TURN_STAGES) {
    ends[moment] = median(staged.map(({ bars }) => bars.find((bar) => bar.moment === moment)?.endMs ?? NaN));
  }
  ends.audible = median(rows.map(({ totalMs }) => totalMs));
  const atEar = rows.every((one) => one.atEar);
  return row({ turn: "median", interrupted: false, audibleAt: NaN }, ends, TURN_STAGES, atEar);
}
