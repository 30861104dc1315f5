/** Which line is which: a piece of each line, its name, and its value under the cursor or its newest one. */
import { fill, h, setText } from "../dom";
import { icon } from "../icons";
import type { Palette } from "../theme";
import { strokeOf, nameOf, type Line } from "./lines";

const SVG = "http://www.w3.org/2000/svg";

export class Legend {
  private readonly list = h("ul", { class: "raylm-keys", "aria-label": "Curves" });
  private readonly position = h("span", { class: "raylm-muted" });
  readonly element = h("div", { class: "raylm-legend" }, this.list, this.position);
  private values: HTMLElement[] = [];

  constructor(private readonly remove: (runId: string) => void) {}

  /** Name the lines anew; only where they have changed, so that a button keeps the focus. */
  name(lines: Line[], shown: string | null, colours: Palette): void {
    const entries = [...new Set(lines.map(({ entry }) => entry))];
    const isAlone = entries.length < 2;
    this.values = lines.map(() => h("b", {}, "–"));
    const key = (line: Line): HTMLElement =>
      h(
        "span",
        { class: "raylm-key" },
        sample(line, isAlone, colours),
        line.part,
        this.values[lines.indexOf(line)],
      );
    const items = entries.map((entry) => {
      const keys = lines.filter((line) => line.entry === entry).map(key);
      if (isAlone) return h("li", {}, ...keys);
      const name = nameOf(entry, entries);
      return h(
        "li",
        { title: entry.runId },
        h("span", { class: "raylm-key-name" }, name),
        ...keys,
        entry.runId !== shown && this.removal(entry.runId, name),
      );
    });
    fill(this.list, items);
  }

  /** Say the value of each line, and where the cursor is. */
  say(values: string[], position: string): void {
    values.forEach((value, index) => setText(this.values[index] as HTMLElement, value));
    setText(this.position, position);
  }

  private removal(runId: string, name: string): HTMLElement {
    return h(
      "button",
      {
        type: "button",
        class: "raylm-key-remove",
        "aria-label": `Take ${name} out of the chart`,
        title: "Take out of the chart",
        onclick: () => this.remove(runId),
      },
      icon("remove"),
    );
  }
}

function sample(line: Line, isAlone: boolean, colours: Palette): SVGSVGElement {
  const { stroke, dash } = strokeOf(line, isAlone, colours);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 26 10");
  svg.setAttribute("class", "raylm-key-line");
  svg.setAttribute("aria-hidden", "true");
  const stretch = document.createElementNS(SVG, "path");
  stretch.setAttribute("d", "M0 5h26");
  stretch.setAttribute("stroke", stroke);
  stretch.setAttribute("stroke-width", "2");
  stretch.setAttribute("stroke-dasharray", dash.join(" "));
  svg.append(stretch);
  if (line.isMarked) {
    const mark = document.createElementNS(SVG, "circle");
    for (const [name, value] of Object.entries({ cx: 13, cy: 5, r: 3, fill: colours.surface, stroke }))
      mark.setAttribute(name, String(value));
    svg.append(mark);
  }
  return svg;
}
