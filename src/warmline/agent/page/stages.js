/**
 * The moments of a greeting and of a turn, in order. Each ends the wait that `label` names; `family` says who is at
 * work: sound on its way, hearing, thinking or speaking. The names are those of the wire protocol, except
 * `socket_open` and `audible`, which this page measures.
 */
export const GREETING_STAGES = Object.freeze([
  { moment: "accepted", label: "Call accepted", family: "travel" },
  { moment: "socket_open", label: "Line open", family: "travel" },
  { moment: "session_open", label: "Session opened", family: "think" },
  { moment: "first_audio_sent", label: "Greeting sent", family: "speak" },
  { moment: "audible", label: "Greeting heard", family: "travel" },
]);

export const TURN_STAGES = Object.freeze([
  { moment: "speech_end", label: "Your voice arrived", family: "travel" },
  { moment: "vad_stop", label: "Silence noticed", family: "hear" },
  { moment: "stt_final", label: "Words recognised", family: "hear" },
  { moment: "turn_decided", label: "Turn judged over", family: "hear" },
  { moment: "llm_sent", label: "Request sent", family: "think" },
  { moment: "llm_first_token", label: "First token", family: "think" },
  { moment: "first_sentence", label: "First sentence", family: "think" },
  { moment: "tts_first_byte", label: "Voice made", family: "speak" },
  { moment: "first_audio_sent", label: "Audio sent", family: "speak" },
  { moment: "audible", label: "Answer heard", family: "travel" },
]);

export const FAMILIES = Object.freeze([
  { name: "travel", label: "Sound on its way" },
  { name: "hear", label: "Hearing" },
  { name: "think", label: "Thinking" },
  { name: "speak", label: "Speaking" },
]);
