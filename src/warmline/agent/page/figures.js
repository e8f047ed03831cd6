import { element } from "./element.js";
import { milliseconds, signedMilliseconds } from "./milliseconds.js";

const OTHERS_FOR_A_COLD_TAX = 4;

/** The four numbers of a call, as a description list. */
export function figures(timing) {
  const list = element("dl", { class: "figures" });
  for (const { name, value, hint, chief } of figuresOf(timing)) {
    const block = element("div", { class: chief ? "figure figure-chief" : "figure" });
    block.append(element("dt", { text: name }), element("dd", { class: "value", text: value }));
    block.append(element("dd", { class: "hint", text: hint }));
    list.append(block);
  }
  return list;
}

function figuresOf({ greeting, first, medianOfOthers, others, coldTaxMs }) {
  return [
    { name: "Greeting", value: milliseconds(greeting.totalMs), hint: "from the click to the first sound" },
    { name: "First turn", value: milliseconds(first?.totalMs), hint: "from your last sound to its first" },
    { name: "Median of the others", value: milliseconds(medianOfOthers?.totalMs), hint: counted(others) },
    { name: "Cold tax", value: signedMilliseconds(coldTaxMs), hint: taxHint(others), chief: true },
  ];
}

function counted(others) {
  if (others === 0) return "speak again to fill this in";
  return others === 1 ? "one more turn so far" : `${others} turns`;
}

function taxHint(others) {
  const meaning = "first turn minus that median";
  return others > 0 && others < OTHERS_FOR_A_COLD_TAX ? `${meaning}; settles after five turns` : meaning;
}
