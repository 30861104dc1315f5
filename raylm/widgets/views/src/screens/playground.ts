/** The Playground screen: one prompt, two checkpoints, what each makes of it. */
import "../styles/base.css";
import "../styles/runs.css";
import "../styles/fields.css";
import "../styles/monitor.css";
import "../styles/playground.css";
import { bringIntoView, fill, h, setAttribute, show, uniqueId } from "../dom";
import { empty, loading, NoticePlace } from "../notice";
import { panel } from "../panel";
import { Column } from "../playground/column";
import { Controls } from "../playground/controls";
import { Poller, type Found } from "../poll";
import type { Context, Screen } from "../screen";
import type { StoreError } from "../store";
import type { Ability, AskedRun } from "../types";

export const playgroundScreen: Screen = (root, context) => {
  const playground = new Playground(root, context);
  return () => playground.close();
};

class Playground {
  private readonly notice: NoticePlace;
  private readonly columns: Column[];
  private readonly controls: Controls;
  private readonly prompt = textarea("prompt", 3);
  private readonly passage = textarea("passage", 3);
  private readonly passageLabel = h("label", { for: this.passage.id, class: "raylm-label" }, "Passage");
  private readonly passagePlace = h("div", { hidden: true }, this.passageLabel, this.passage);
  private readonly generate: HTMLButtonElement;
  private readonly interrupt: HTMLButtonElement;
  private readonly outputs: HTMLElement;
  private readonly body: HTMLElement;
  private readonly poller: Poller;
  private readonly endObserving: () => void;
  private runs: AskedRun[] = [];

  constructor(
    root: HTMLElement,
    private readonly context: Context,
  ) {
    this.columns = ["A", "B"].map(
      (name, place) => new Column(name, context.store, place > 0, () => this.arrange()),
    );
    this.controls = new Controls(context.store, () => this.allow());
    this.generate = this.button("Generate", "raylm-button raylm-primary", () => this.write());
    this.interrupt = this.button("Interrupt", "raylm-button", () => this.stop());
    this.outputs = h("div", { class: "raylm-columns" }, ...this.columns.map(({ output }) => output));
    this.body = h("div", { class: "raylm-playground", hidden: true }, ...this.parts(), this.outputs);
    this.notice = new NoticePlace(loading("Looking for checkpoints …"), this.body);
    fill(root, [h("div", { class: "raylm-screen" }, this.notice.element, this.body)]);
    this.body.addEventListener("keydown", (event) => this.onKey(event));
    this.endObserving = context.shared.observe("run_id", () => {
      const wanted = context.shared.get("run_id") as string;
      if (!wanted || wanted === this.columns[0]?.runId) return;
      if (this.runs.some(({ run_id }) => run_id === wanted)) this.columns[0]?.choose(wanted);
      bringIntoView(root);
    });
    this.allow();
    this.poller = new Poller(root, () => this.ask());
  }

  close(): void {
    this.endObserving();
    this.poller.close();
    this.controls.close();
  }

  private parts(): HTMLElement[] {
    const keys = h("span", { class: "raylm-muted" }, "Ctrl+Enter generates, Escape interrupts");
    return [
      h("div", { class: "raylm-columns raylm-pickers" }, ...this.columns.map(({ picker }) => picker)),
      h("div", {}, h("label", { for: this.prompt.id, class: "raylm-label" }, "Prompt"), this.prompt),
      this.passagePlace,
      this.controls.element,
      h("div", { class: "raylm-actions" }, this.generate, this.interrupt, keys),
    ];
  }

  private async ask(): Promise<Found> {
    try {
      const runs = await this.context.store.list<AskedRun>("playground_runs");
      const isChanged = JSON.stringify(runs) !== JSON.stringify(this.runs);
      this.runs = runs;
      this.notice.heard();
      const wanted = (this.context.shared.get("run_id") as string) || null;
      for (const column of this.columns) column.update(runs, wanted);
      this.notice.tell(
        runs.length > 0
          ? null
          : empty(
              "No checkpoint yet",
              "Start a run in Launch: once it has saved a checkpoint, it can be asked here.",
            ),
      );
      return isChanged ? "changed" : "quiet";
    } catch (error) {
      return this.notice.lost(error as StoreError, () => this.poller.wake());
    }
  }

  /** Show what the chosen checkpoints need. */
  private arrange(): void {
    const abilities = this.abilities();
    const passage = abilities.find((ability) => ability.passage)?.passage;
    show(this.passagePlace, passage !== undefined);
    if (passage) fill(this.passageLabel, [passage]);
    const example = abilities.find((ability) => ability.example)?.example;
    setAttribute(this.prompt, "placeholder", example ? `For example: ${example}` : null);
    this.controls.update(abilities);
    this.outputs.classList.toggle("raylm-single", this.columns.filter(({ runId }) => runId).length === 1);
    this.allow();
  }

  private async write(): Promise<void> {
    if (this.generate.disabled) return;
    const asked = this.columns.filter((column) => column.can !== null);
    const writing = asked.map((column) => {
      const can = column.can as Ability;
      const passage = can.passage ? { passage: this.passage.value } : {};
      return column.write(this.prompt.value, { ...this.controls.of(can), ...passage });
    });
    this.allow();
    for (const each of writing) void each.then(() => this.allow());
    const problems = (await Promise.all(writing)).flat();
    if (problems.length > 0) this.controls.complain(problems);
  }

  private async stop(): Promise<void> {
    await Promise.all(this.columns.map((column) => column.interrupt()));
  }

  /** Only what can be done now can be pressed; the keyboard's place moves along. */
  private allow(): void {
    const isWriting = this.columns.some((column) => column.isWriting);
    const focused = document.activeElement;
    show(this.interrupt, isWriting);
    const isReady = this.abilities().length > 0 && !this.columns.some((column) => column.isLearning);
    this.generate.disabled = isWriting || !isReady || !this.controls.areRight;
    if (isWriting && focused === this.generate) this.interrupt.focus();
    if (!isWriting && focused === this.interrupt) this.generate.focus();
  }

  private onKey(event: KeyboardEvent): void {
    const isGenerate = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (!isGenerate && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab would run the cell, or leave it
    void (isGenerate ? this.write() : this.stop());
  }

  private abilities(): Ability[] {
    return this.columns.map(({ can }) => can).filter((can) => can !== null);
  }

  private button(text: string, className: string, act: () => Promise<void>): HTMLButtonElement {
    return h("button", { type: "button", class: className, onclick: () => void act() }, text);
  }
}

/** JupyterLab's own shortcuts, such as running the cell by Ctrl+Enter, do not hold in it. */
function textarea(name: string, rows: number): HTMLTextAreaElement {
  return h("textarea", {
    id: uniqueId(name),
    name,
    rows,
    spellcheck: "false",
    "data-lm-suppress-shortcuts": "true",
  });
}

export default panel(playgroundScreen);
