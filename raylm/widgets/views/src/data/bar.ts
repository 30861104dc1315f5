/** A share as a bar; the number beside it says the same. */
import { h } from "../dom";

export function bar(share: number): HTMLElement {
  const element = h("span", { class: "raylm-share", "aria-hidden": "true" }, h("span"));
  (element.firstElementChild as HTMLElement).style.width = `${(100 * Math.min(1, share)).toFixed(2)}%`;
  return element;
}

export function percent(share: number): string {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  if (share < 1 && share > 0.999) return "> 99.9 %";
  return `${(100 * share).toFixed(1)} %`;
}
