/** Text in which nothing is invisible: white space and controls are shown as marks. */
import { h } from "../dom";

const MARKS: Record<string, string> = { " ": "·", "\n": "↵", "\t": "→" };
const UNSEEN = /[\p{C}\p{Z}]/u; // controls, formats, halves of characters, white space of every width

export function visible(text: string): (Node | string)[] {
  const parts: (Node | string)[] = [];
  let plain = "";
  for (const character of text) {
    const mark = MARKS[character] ?? (UNSEEN.test(character) ? codePoint(character) : null);
    if (mark === null) {
      plain += character;
      continue;
    }
    if (plain) parts.push(plain);
    plain = "";
    parts.push(h("span", { class: "raylm-blank" }, mark));
  }
  return plain ? [...parts, plain] : parts;
}

function codePoint(character: string): string {
  const number = character.codePointAt(0) ?? 0;
  return `U+${number.toString(16).toUpperCase().padStart(4, "0")}`;
}
