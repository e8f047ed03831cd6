/** Where the page stands: its words and its layout. Where there is no title, the agent’s name stays. */
export const PHASES = Object.freeze({
  idle: { title: "Pick up and talk.", button: "Connect", status: "Not connected", layout: "opening" },
  connecting: { title: "Calling the agent", button: "Cancel", status: "Connecting", layout: "call" },
  "in-call": { button: "Hang up", status: "In a call", layout: "call" },
  ended: { button: "Connect", status: "Call ended", layout: "call" },
  failed: { title: "Pick up and talk.", button: "Connect", status: "Not connected", layout: "opening" },
});

/** What goes on in a call. */
export const ACTIVITIES = Object.freeze({
  listening: "Listening",
  "user-speaking": "You are speaking",
  thinking: "Thinking",
  "agent-speaking": "The agent is speaking",
});

/**
 * What goes on after this event, given what went on before.
 *
 * @param {{type: string}} event
 * @param {keyof ACTIVITIES} before
 */
export function activityAfter({ type }, before) {
  if (type === "ready") return "listening";
  if (type === "user_started") return "user-speaking";
  if (type === "user_stopped") return "thinking";
  if (type === "bot_started") return "agent-speaking";
  if (type === "ended" || type === "flush") return before === "agent-speaking" ? "listening" : before;
  return before;
}
