/** Short facts in a row, such as "step 40 · loss 3.21 · 8 s ago": a line may end between two, never within one. */
import { fill, h } from "../dom";

export function fillFacts(element: Element, facts: string[]): void {
  if (element.textContent === facts.join(" · ")) return;
  fill(
    element,
    facts.flatMap((fact, place) => [
      place > 0 ? " " : null,
      h("span", { class: "raylm-fact" }, place < facts.length - 1 ? `${fact} ·` : fact),
    ]),
  );
}
