/** The buttons above the table, each enabled where it can be done, and a line that says when. */
import { h, setText } from "../dom";
import { count } from "../text";
import type { Checkpoint, RunSummary, StatusWord } from "../types";

const RESUMABLE = new Set<StatusWord>(["stopped", "failed", "preempted", "lost", "finished"]);

export const ACTIONS = ["Compare", "Resume", "Fork", "Export", "Verify", "Delete"] as const;
export type Action = (typeof ACTIONS)[number];

export class Actions {
  private readonly buttons: Record<Action, HTMLButtonElement>;
  private readonly hint = h("p", { class: "raylm-muted raylm-hint" });
  readonly element: HTMLElement;

  constructor(act: (action: Action) => void) {
    const button = (name: Action): HTMLButtonElement =>
      h("button", { type: "button", class: "raylm-button", disabled: true, onclick: () => act(name) }, name);
    this.buttons = Object.fromEntries(ACTIONS.map((name) => [name, button(name)])) as typeof this.buttons;
    this.element = h(
      "div",
      { class: "raylm-toolset" },
      h(
        "div",
        { class: "raylm-actions", role: "group", "aria-label": "Actions" },
        ...Object.values(this.buttons),
      ),
      this.hint,
    );
  }

  /** Enable what fits the run and what is checked; nothing while something is being done. */
  allow(run: RunSummary, all: Checkpoint[], chosen: Checkpoint[], isActing: boolean): void {
    const newest = all.find(({ state }) => state !== "bad");
    const [first] = chosen;
    const isOne = chosen.length === 1;
    const isNewest = chosen.length === 0 || (isOne && first?.step === newest?.step);
    const can: Record<Action, boolean> = {
      Compare: chosen.length === 2 && chosen.every(({ state }) => state !== "bad"),
      Resume: newest !== undefined && RESUMABLE.has(run.status) && isNewest,
      Fork: isOne && first?.state !== "bad",
      Export: isOne && first?.state !== "bad",
      Verify: isOne,
      Delete: isOne,
    };
    for (const name of ACTIONS) this.buttons[name].disabled = isActing || !can[name];
    setText(this.hint, hint(chosen, isNewest));
  }

  focus(action: Action): void {
    this.buttons[action].focus();
  }
}

function hint(chosen: Checkpoint[], isNewest: boolean): string {
  const [first] = chosen;
  if (first === undefined)
    return "Check one to fork, export, verify or delete it, or two to compare. Resume goes on from the newest.";
  if (chosen.length > 2) return `Compare takes two; ${chosen.length} are checked.`;
  const broken = chosen.find(({ state }) => state === "bad");
  if (broken) return `Step ${count(broken.step)} is bad. It can be verified again or deleted.`;
  const steps = chosen.map(({ step }) => count(step)).reverse();
  if (chosen.length === 2) return `Steps ${steps.join(" and ")} are checked.`;
  return isNewest
    ? `Step ${steps[0]} is checked.`
    : `Step ${steps[0]} is checked. Resume goes on from the newest; to go on from this one, fork it.`;
}
