/** A run in the sidebar: its name, its state in icon and word, how far it is, and what can be done about it. */
import { fill, h, setAttribute, setText, show } from "../dom";
import { icon } from "../icons";
import type { Store, StoreError } from "../store";
import { ago, count, measure } from "../text";
import type { RunSummary } from "../types";
import { fillFacts } from "./facts";

export interface CardActions {
  store: Store;
  /** Shows the run in the cockpit. */
  open(runId: string): void;
  /** The run was asked to do something: look again. */
  changed(): void;
}

export class RunCard {
  private readonly name = h("h3", { class: "raylm-card-name" });
  private readonly badge = h("span", { class: "raylm-badge" });
  private readonly facts = h("p", { class: "raylm-muted" });
  private readonly bar = h("div", {});
  private readonly progress = h(
    "div",
    { class: "raylm-bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 },
    this.bar,
  );
  private readonly trouble = h("p", { class: "raylm-answer", role: "alert", hidden: true });
  private readonly stopButton = h(
    "button",
    { type: "button", class: "raylm-button", onclick: () => void this.stop() },
    "Stop",
  );
  private readonly openButton: HTMLButtonElement;
  readonly element: HTMLElement;
  private isAsking = false;

  constructor(
    private run: RunSummary,
    private readonly actions: CardActions,
  ) {
    this.openButton = h(
      "button",
      { type: "button", class: "raylm-button", onclick: () => actions.open(this.run.run_id) },
      "Open",
    );
    this.element = h(
      "li",
      {},
      h("div", { class: "raylm-card-line" }, this.name, this.badge),
      this.facts,
      this.progress,
      this.trouble,
      h("div", { class: "raylm-card-line" }, this.stopButton, this.openButton),
    );
    this.update(run);
  }

  update(run: RunSummary): void {
    this.run = run;
    const { status } = run;
    setAttribute(this.element, "class", `raylm-card raylm-state-${status}`);
    setAttribute(this.element, "title", run.run_id);
    setText(this.name, run.name);
    if (this.badge.textContent !== status) fill(this.badge, [icon(status), status]);
    fillFacts(this.facts, facts(run));
    const share = run.step !== null && run.max_steps ? Math.min(100, (100 * run.step) / run.max_steps) : 0;
    show(this.progress, status === "running" || status === "stopping");
    setAttribute(this.progress, "aria-valuenow", Math.floor(share));
    setAttribute(this.progress, "aria-label", `Steps of ${run.name} done, in percent`);
    this.bar.style.width = `${share.toFixed(1)}%`;
    show(this.stopButton, status === "pending" || status === "running");
    this.stopButton.disabled = this.isAsking;
    // The names of the buttons say which run is meant to who does not see the card around them.
    setAttribute(this.stopButton, "aria-label", `Stop ${run.name}`);
    setAttribute(this.openButton, "aria-label", `Open ${run.name}`);
  }

  private async stop(): Promise<void> {
    this.isAsking = true;
    this.stopButton.disabled = true;
    show(this.trouble, false);
    try {
      await this.actions.store.command("stop", { run_id: this.run.run_id });
    } catch (error) {
      const { message, mend } = error as StoreError;
      setText(this.trouble, [message, mend].filter(Boolean).join("; "));
      show(this.trouble, true);
    } finally {
      this.isAsking = false;
      this.stopButton.disabled = false;
      this.actions.changed();
    }
  }
}

function facts({ status, step, max_steps, loss, created }: RunSummary): string[] {
  const parts: string[] = [];
  if (step !== null && step > 0) parts.push(max_steps ? `${Math.floor((100 * step) / max_steps)} %` : "");
  if (step !== null && step > 0) parts.push(`step ${count(step)}`);
  if (typeof loss === "number") parts.push(`loss ${measure(loss)}`);
  if (status !== "running" && created !== null) parts.push(ago(created));
  return parts.filter(Boolean);
}
