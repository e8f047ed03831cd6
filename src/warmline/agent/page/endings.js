/** What a caller is told when a call ends otherwise than by hanging up: what happened, and what to do. */

const BY_CLOSE_CODE = {
  1001: ["The agent is shutting down.", "Wait a moment and connect again."],
  1003: ["The agent could not read this page’s sound.", "Reload the page and connect again."],
  1007: ["The agent could not read a message of this page.", "Reload the page and connect again."],
  1009: ["The agent could not take that much sound at once.", "Reload the page and connect again."],
  1011: ["The agent failed.", "Connect again; if it fails again, its log says why."],
  1013: ["All lines are busy.", "Wait a moment and connect again."],
};

const BY_MICROPHONE_ERROR = {
  NotAllowedError: [
    "The microphone was not allowed.",
    "Allow it for this page, beside the address, and connect again.",
  ],
  NotFoundError: ["No microphone was found.", "Plug one in and connect again."],
  NotReadableError: ["The microphone is in use.", "Close the program that holds it and connect again."],
  SecurityError: [
    "The microphone needs a secure page.",
    "Open this page over https, or on the machine it runs on (localhost).",
  ],
};

const UNREACHABLE = ["The agent does not answer.", "See that the server runs (warmline serve) and connect again."];
const LOST = ["The line was lost.", "See that the server runs and connect again."];
const TOKEN_ASKED = ["This agent asks for a token.", "Type it below and connect."];
const TOKEN_WRONG = ["That token was not accepted.", "Type it again and connect."];
const SILENCE = ["The agent hung up: nobody spoke.", "Connect again when you like."];
const MICROPHONE_LOST = ["The microphone went away.", "Plug it in and connect again."];
const NO_SOUND = ["This browser could not open its sound.", "See that a loudspeaker is there, then connect again."];

/**
 * @param {{code: number, reason: string}} close
 * @param {{opened: boolean, admitted: boolean, ticketSent: boolean}} call how far it came
 * @returns {{title: string, advice: string, asksTicket: boolean} | null} null when there is nothing to tell
 */
export function endingOfClose({ code, reason }, { opened, admitted, ticketSent }) {
  if (code === 1000) return reason === "idle" ? told(SILENCE) : null;
  if (code === 1008 && !admitted) return told(ticketSent ? TOKEN_WRONG : TOKEN_ASKED, true);
  if (BY_CLOSE_CODE[code]) return told(BY_CLOSE_CODE[code]);
  return told(opened ? LOST : UNREACHABLE);
}

/** @param {DOMException} error what opening the microphone or the loudspeaker threw */
export function endingOfMicrophone(error) {
  return told(BY_MICROPHONE_ERROR[error.name] ?? NO_SOUND);
}

export function endingOfLostMicrophone() {
  return told(MICROPHONE_LOST);
}

function told([title, advice], asksTicket = false) {
  return { title, advice, asksTicket };
}
