/** How long the documents are: bars over powers of two, and the same numbers as a table. */
import { fill, h, setAttribute, show, uniqueId } from "../dom";
import { count, short } from "../text";
import type { Histogram } from "./types";

const SVG = "http://www.w3.org/2000/svg";
const STEP = 44;
const HEIGHT = 150;
const ABOVE = 16; // pixels for the numbers on the bars
const BELOW = 18;
const NAMES: Record<Histogram["unit"], string> = { tokens: "Tokens", characters: "Characters" };

export class Lengths {
  private readonly unit = h("select", { id: uniqueId("unit") });
  private readonly isTable = h("input", { type: "checkbox", id: uniqueId("table") });
  private readonly body = h("div", { class: "raylm-lengths" });
  readonly element: HTMLElement;
  private histograms: Histogram[] = [];

  constructor() {
    this.unit.addEventListener("change", () => this.draw());
    this.isTable.addEventListener("change", () => this.draw());
    this.element = h(
      "section",
      { class: "raylm-card", "aria-label": "Lengths" },
      h(
        "header",
        {},
        h("h3", {}, "Lengths"),
        h("span", { class: "raylm-tool" }, h("label", { for: this.unit.id }, "in"), this.unit),
        h("span", { class: "raylm-tool" }, this.isTable, h("label", { for: this.isTable.id }, "Table")),
      ),
      this.body,
    );
  }

  update(histograms: Histogram[]): void {
    const chosen = this.unit.value;
    this.histograms = histograms;
    fill(
      this.unit,
      histograms.map(({ unit }) => h("option", { value: unit }, unit)),
    );
    if (histograms.some(({ unit }) => unit === chosen)) this.unit.value = chosen;
    show(this.element, histograms.length > 0);
    this.draw();
  }

  private draw(): void {
    const histogram = this.histograms.find(({ unit }) => unit === this.unit.value);
    if (histogram) fill(this.body, this.isTable.checked ? [table(histogram)] : chart(histogram));
  }
}

function chart(histogram: Histogram): Node[] {
  const { unit, series, buckets } = histogram;
  const most = Math.max(1, ...buckets.flatMap(({ counts }) => counts));
  const width = buckets.length * STEP;
  const svg = make("svg", {
    viewBox: `0 0 ${width} ${ABOVE + HEIGHT + BELOW}`,
    role: "img",
    "aria-label": description(histogram),
    class: "raylm-histogram",
  });
  svg.style.maxWidth = `${width * 1.5}px`;
  buckets.forEach(({ from, counts }, place) => {
    counts.forEach((number, index) => {
      const height = number === 0 ? 0 : Math.max(1, (HEIGHT * number) / most);
      const x = place * STEP + 4;
      const y = ABOVE + HEIGHT - height;
      const isLast = index === counts.length - 1; // what stays is drawn over what came in
      svg.append(
        make("rect", {
          x,
          y,
          width: STEP - 8,
          height,
          class: isLast ? "raylm-bar-kept" : "raylm-bar-read",
        }),
      );
    });
    const top = Math.max(...counts);
    const middle = place * STEP + STEP / 2;
    if (top > 0)
      svg.append(label(middle, ABOVE + HEIGHT - Math.max(1, (HEIGHT * top) / most) - 4, short(top)));
    svg.append(label(middle, ABOVE + HEIGHT + 13, power(from)));
  });
  svg.append(make("line", { x1: 0, x2: width, y1: ABOVE + HEIGHT, y2: ABOVE + HEIGHT }));
  const keys = series.map((name, index) =>
    h("span", { class: index === series.length - 1 ? "raylm-key-kept" : "raylm-key-read" }, name),
  );
  const legend = h("p", { class: "raylm-bar-legend" }, ...keys, h("span", {}, `by ${unit}, from`));
  return [legend, svg];
}

function table({ unit, series, buckets }: Histogram): HTMLElement {
  const titles = [NAMES[unit], ...series.map((name) => name.charAt(0).toUpperCase() + name.slice(1))];
  return h(
    "div",
    { class: "raylm-table raylm-data-table", tabindex: 0, role: "region", "aria-label": "Table of lengths" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...titles.map((title) => h("th", { scope: "col" }, title)))),
      h(
        "tbody",
        {},
        ...buckets.map(({ from, to, counts }) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, from === to ? count(from) : `${count(from)} to ${count(to)}`),
            ...counts.map((number) => h("td", {}, count(number))),
          ),
        ),
      ),
    ),
  );
}

function description({ unit, series, buckets }: Histogram): string {
  const all = buckets.reduce((sum, { counts }) => sum + (counts.at(-1) ?? 0), 0);
  const largest = buckets.reduce((best, one) =>
    (one.counts.at(-1) ?? 0) > (best.counts.at(-1) ?? 0) ? one : best,
  );
  const what = series.length > 1 ? `documents ${series.at(-1)}` : "documents";
  const range = `${count(largest.from)} to ${count(largest.to)} ${unit}`;
  return `Histogram of document lengths: ${count(all)} ${what}, most of them of ${range}`;
}

/** 64 -> "64", 4096 -> "4k", 2097152 -> "2M": powers of two in two to four characters. */
function power(number: number): string {
  const units: [number, string][] = [
    [2 ** 30, "G"],
    [2 ** 20, "M"],
    [2 ** 10, "k"],
  ];
  const unit = units.find(([size]) => number >= size);
  return unit ? `${number / unit[0]}${unit[1]}` : String(number);
}

function label(x: number, y: number, text: string): SVGElement {
  const element = make("text", { x, y, "text-anchor": "middle" });
  element.textContent = text;
  return element;
}

function make<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | number>,
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  return element;
}
