/** The checkpoints of one run, newest first, each with a box to check. */
import { fill, h, setAttribute, setText, uniqueId } from "../dom";
import { icon } from "../icons";
import { ago, bytes, count, measure, words } from "../text";
import type { Checkpoint } from "../types";

const MOST_METRICS = 4;
const FIRST_METRICS = ["eval/loss", "train/loss"];
const SAME_AS_LOSS = ["eval/perplexity", "eval/bits_per_byte", "eval/loss_over_entropy"]; // the comparison has them

export class CheckpointTable {
  private readonly head = h("tr");
  private readonly body = h("tbody");
  readonly element = h(
    "div",
    { class: "raylm-table raylm-checkpoint-table", tabindex: 0, role: "region", "aria-label": "Checkpoints" },
    h("table", {}, h("thead", {}, this.head), this.body),
  );
  private rows = new Map<number, Row>();
  private shown = "";

  constructor(private readonly onChoose: () => void) {}

  /** True where what the table shows has changed; what was checked stays so, and so does the focus. */
  update(checkpoints: Checkpoint[]): boolean {
    for (const { step, saved } of checkpoints) this.rows.get(step)?.age(saved);
    const wanted = JSON.stringify(checkpoints);
    if (wanted === this.shown) return false;
    this.shown = wanted;
    this.draw(checkpoints);
    return true;
  }

  /** The checked ones, newest first. */
  chosen(): Checkpoint[] {
    return [...this.rows.values()].filter((row) => row.box.checked).map((row) => row.checkpoint);
  }

  clear(): void {
    this.rows.clear();
    this.shown = "";
    fill(this.body, []);
  }

  private draw(checkpoints: Checkpoint[]): void {
    const metrics = metricsOf(checkpoints);
    const focused = [...this.rows.values()].find(({ box }) => box === document.activeElement)?.checkpoint;
    const before = this.rows;
    this.rows = new Map(
      checkpoints.map((checkpoint) => {
        const isChecked = before.get(checkpoint.step)?.box.checked ?? false;
        return [checkpoint.step, new Row(checkpoint, metrics, isChecked, this.onChoose)];
      }),
    );
    fill(this.head, heads(metrics));
    fill(
      this.body,
      [...this.rows.values()].flatMap((row) => row.elements),
    );
    if (focused) this.rows.get(focused.step)?.box.focus();
  }
}

class Row {
  readonly box: HTMLInputElement;
  readonly element: HTMLElement;
  private readonly when = h("td");

  constructor(
    readonly checkpoint: Checkpoint,
    metrics: string[],
    isChecked: boolean,
    onChoose: () => void,
  ) {
    const { step, tokens_seen } = checkpoint;
    this.box = h("input", { type: "checkbox", id: uniqueId("checkpoint") });
    this.box.checked = isChecked;
    this.box.addEventListener("change", () => {
      this.mark();
      onChoose();
    });
    const name = h("label", { for: this.box.id }, h("span", { class: "raylm-unseen" }, "Step "), count(step));
    this.element = h(
      "tr",
      { "data-step": step },
      h("td", { class: "raylm-box" }, this.box),
      h("th", { scope: "row" }, h("div", { class: "raylm-step" }, name, checkpoint.is_best && best())),
      h("td", { class: "raylm-words" }, state(checkpoint)),
      ...metrics.map((metric) => h("td", {}, measure(checkpoint.metrics[metric]))),
      h("td", {}, tokens_seen === null ? "–" : count(tokens_seen)),
      h("td", {}, checkpoint.bytes > 0 ? bytes(checkpoint.bytes) : "–"),
      this.when,
      h("td", { class: "raylm-words" }, ...pins(checkpoint)),
    );
    this.mark();
    this.age(checkpoint.saved);
  }

  /** The row, and below it why a checkpoint is bad. */
  get elements(): HTMLElement[] {
    const { reason } = this.checkpoint;
    if (!reason) return [this.element];
    const why = h("td", { class: "raylm-words", colspan: this.element.childElementCount - 1 }, reason);
    return [this.element, h("tr", { class: "raylm-why" }, h("td", {}), why)];
  }

  /** "2 min ago" moves on its own. */
  age(saved: number | null): void {
    setText(this.when, saved === null ? "–" : ago(saved));
  }

  private mark(): void {
    setAttribute(this.element, "data-chosen", this.box.checked);
  }
}

function heads(metrics: string[]): HTMLElement[] {
  const words_ = (text: string): HTMLElement => h("th", { scope: "col", class: "raylm-words" }, text);
  const number = (text: string): HTMLElement => h("th", { scope: "col" }, text);
  return [
    h("th", { scope: "col", class: "raylm-box" }, h("span", { class: "raylm-unseen" }, "Check")),
    words_("Step"),
    words_("State"),
    ...metrics.map((metric) => number(title(metric))),
    ...["Tokens", "Size", "Saved"].map(number),
    words_("Kept for"),
  ];
}

/** Losses first, then whatever else was evaluated. */
function metricsOf(checkpoints: Checkpoint[]): string[] {
  const names = new Set(checkpoints.flatMap(({ metrics }) => Object.keys(metrics)));
  const told = [...FIRST_METRICS, ...SAME_AS_LOSS];
  const others = [...names].filter((name) => name.startsWith("eval/") && !told.includes(name));
  return [...FIRST_METRICS.filter((name) => names.has(name)), ...others.sort()].slice(0, MOST_METRICS);
}

/** "eval/bits_per_byte" -> "Eval bits per byte" */
export function title(metric: string): string {
  const text = words(metric).replaceAll("/", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function best(): HTMLElement {
  return h("span", { class: "raylm-best" }, icon("best"), "best");
}

function state({ state: word }: Checkpoint): HTMLElement {
  return h("span", { class: `raylm-badge raylm-checkpoint-${word}` }, icon(word), word);
}

/** An id without the time in front, which would push its name out of sight. */
function pins({ pinned_by }: Checkpoint): HTMLElement[] {
  return pinned_by.map((run) =>
    h(
      "span",
      { class: "raylm-pin", title: run },
      icon("pin"),
      h("span", {}, run.replace(/^\d{8}-\d{6}-/, "")),
    ),
  );
}
