/** Two checkpoints side by side. */
import { fill, h, show } from "../dom";
import { bytes, count, measure, words } from "../text";
import type { CheckpointPair } from "../types";
import { title } from "./table";

const FIRST = /^(eval|train)\//; // what was learnt comes before what it took
const ASPECTS = ["recipe", "data", "code", "environment"] as const;

type Cells = [name: string, first: string, second: string, difference: string];

export class Comparison {
  readonly element = h("section", { class: "raylm-card raylm-comparison", hidden: true });

  /** `onGone` is told when a person has closed it, so that the focus has a place to go. */
  constructor(private readonly onGone: () => void) {}

  /** The earlier one comes first. */
  update(pair: CheckpointPair): void {
    const [first, second] = pair.checkpoints;
    if (!first || !second) return;
    const heading = `Step ${count(first.step)} and step ${count(second.step)}`;
    const close = h(
      "button",
      {
        type: "button",
        class: "raylm-button",
        "aria-label": "Close comparison",
        onclick: () => this.giveUp(),
      },
      "Close",
    );
    const column = ({ name, step }: typeof first): HTMLElement =>
      h("th", { scope: "col" }, `${name} · step ${count(step)}`);
    fill(this.element, [
      h("header", {}, h("h3", {}, heading), close),
      h(
        "div",
        { class: "raylm-table", tabindex: 0, role: "region", "aria-label": "Comparison" },
        h(
          "table",
          {},
          h(
            "thead",
            {},
            h("tr", {}, h("td", {}), column(first), column(second), h("th", { scope: "col" }, "Difference")),
          ),
          group("Checkpoint", facts(pair)),
          group("Metrics", metrics(pair)),
          ...ASPECTS.map((aspect) => group(title(aspect), differing(pair[aspect]))),
        ),
      ),
    ]);
    show(this.element, true);
    this.element.scrollIntoView({ block: "nearest" });
  }

  close(): void {
    show(this.element, false);
    fill(this.element, []);
  }

  private giveUp(): void {
    this.close();
    this.onGone();
  }
}

function group(name: string, rows: Cells[]): HTMLElement {
  const head = h("tr", { class: "raylm-aspect" }, h("th", { scope: "rowgroup", colspan: 4 }, name));
  const none = h("tr", {}, h("td", { class: "raylm-muted raylm-words", colspan: 4 }, "No difference."));
  const body = rows.map(([row, ...cells]) =>
    h("tr", {}, h("th", { scope: "row" }, row), ...cells.map((cell) => h("td", {}, cell))),
  );
  return h("tbody", {}, head, ...(rows.length > 0 ? body : [none]));
}

function facts({ checkpoints }: CheckpointPair): Cells[] {
  const [first, second] = checkpoints;
  if (!first || !second) return [];
  return [
    numbers("Step", [first.step, second.step], count),
    numbers("Tokens", [first.tokens_seen, second.tokens_seen], count),
    numbers("Size", [first.bytes, second.bytes], bytes),
    numbers("Processes", [first.world_size, second.world_size], count),
  ];
}

function metrics(pair: CheckpointPair): Cells[] {
  const all = Object.entries(pair.metrics);
  const ordered = [...all.filter(([name]) => FIRST.test(name)), ...all.filter(([name]) => !FIRST.test(name))];
  return ordered.map(([name, values]) =>
    numbers(title(name), values, name.endsWith("bytes") ? bytes : measure),
  );
}

function differing(table: Record<string, unknown[]>): Cells[] {
  return Object.entries(table).map(([name, [first, second]]) => [words(name), text(first), text(second), ""]);
}

function numbers(name: string, values: (number | null)[], format: (value: number) => string): Cells {
  const [first, second] = values.map((value) => value ?? null);
  const shown = (value: number | null | undefined): string =>
    value === null || value === undefined ? "–" : format(value);
  const isKnown = typeof first === "number" && typeof second === "number";
  return [name, shown(first), shown(second), isKnown ? signed(second - first, format) : ""];
}

function signed(value: number, format: (value: number) => string): string {
  if (value === 0) return "same";
  return `${value > 0 ? "+" : "−"}${format(Math.abs(value))}`;
}

function text(value: unknown): string {
  if (value === null || value === undefined) return "none";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
