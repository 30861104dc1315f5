/** The head of the monitor: what the run is doing, how far it is, and what can be done about it. */
import { fill, h, setAttribute, setText, show, uniqueId } from "../dom";
import { icon } from "../icons";
import { count, duration } from "../text";
import type { RunDetail, StatusWord } from "../types";

const STOPPABLE = new Set<StatusWord>(["pending", "running"]);
const RESUMABLE = new Set<StatusWord>(["stopped", "failed", "preempted", "lost", "finished"]);
const TROUBLE = new Set<StatusWord>(["failed", "preempted", "lost"]);
const STALE_SECONDS = 5;

export interface Actions {
  stop(): Promise<void>;
  resume(overrides: string[]): Promise<void>;
}

export class StatusHead {
  private readonly title = h("h2", { class: "raylm-run-title" });
  private readonly badge = h("span", { class: "raylm-badge" });
  private readonly reason = h("span", { class: "raylm-reason" });
  private readonly cause = h("div", { class: "raylm-cause", hidden: true });
  private readonly position = h("span", { "aria-live": "off" });
  private readonly stale = h("span", { class: "raylm-stale", "aria-live": "off", hidden: true });
  private readonly line = h(
    "div",
    { class: "raylm-status", role: "status" },
    h("div", { class: "raylm-status-line" }, this.badge, this.position, this.reason, this.stale),
    this.cause,
  );
  private readonly bar = h("div", { class: "raylm-bar" }, h("div"));
  private readonly progress = h(
    "div",
    { class: "raylm-progress", role: "progressbar", "aria-label": "Steps done", "aria-valuemin": 0 },
    this.bar,
  );
  private readonly until = h("input", {
    type: "text",
    inputmode: "numeric",
    id: uniqueId("until"),
    class: "raylm-number",
  });
  private readonly further = h(
    "span",
    { class: "raylm-tool" },
    h("label", { for: this.until.id }, "up to step"),
    this.until,
  );
  private readonly stopButton: HTMLButtonElement;
  private readonly resumeButton: HTMLButtonElement;
  private readonly answer = h("p", { class: "raylm-answer", role: "alert", hidden: true });
  readonly element: HTMLElement;
  private run: RunDetail | null = null;
  private isActing = false;
  private told = "";

  constructor(private readonly actions: Actions) {
    this.stopButton = this.button("Stop", () => this.actions.stop());
    this.resumeButton = this.button("Resume", () => this.actions.resume(this.overrides()));
    const buttons = h("div", { class: "raylm-actions" }, this.further, this.stopButton, this.resumeButton);
    this.until.addEventListener("input", () => this.allow());
    this.element = h(
      "header",
      { class: "raylm-head" },
      h("div", { class: "raylm-head-line" }, this.title, buttons),
      this.line,
      this.progress,
      this.answer,
    );
  }

  update(run: RunDetail, secondsLeft: number | null): void {
    if (run.run_id !== this.run?.run_id) show(this.answer, false);
    this.run = run;
    setText(this.title, run.run_id);
    setAttribute(this.element, "data-status", run.status);
    this.badge.className = `raylm-badge raylm-state-${run.status}`;
    if (this.badge.textContent !== run.status) fill(this.badge, [icon(run.status), run.status]);
    setText(this.position, position(run, secondsLeft));
    this.showReason(run);
    this.showProgress(run);
    this.allow();
  }

  /** Mark how old the numbers are, once that is worth knowing. */
  age(seconds: number, cause = ""): void {
    show(this.stale, seconds >= STALE_SECONDS);
    setText(this.stale, `${cause} as of ${duration(seconds)} ago`.trim());
  }

  /** Why a run ended otherwise than it should, and what mends it, stand where nobody overlooks them. */
  private showReason({ status, reason, mend }: RunDetail): void {
    const isTrouble = TROUBLE.has(status) && Boolean(reason || mend);
    setText(this.reason, isTrouble ? "" : [reason, mend].filter(Boolean).join("; "));
    show(this.cause, isTrouble);
    const told = isTrouble ? `${status}\n${reason}\n${mend}` : "";
    if (told === this.told) return;
    this.told = told;
    this.cause.className = `raylm-cause raylm-state-${status}`;
    fill(this.cause, [
      icon("problem"),
      h(
        "dl",
        {},
        ...(reason ? [h("dt", {}, "Cause"), h("dd", {}, reason)] : []),
        ...(mend ? [h("dt", {}, "Mend"), h("dd", {}, mend)] : []),
      ),
    ]);
  }

  private showProgress(run: RunDetail): void {
    const share = run.step !== null && run.max_steps ? Math.min(1, run.step / run.max_steps) : 0;
    setAttribute(this.progress, "aria-valuenow", run.step ?? 0);
    setAttribute(this.progress, "aria-valuemax", run.max_steps ?? Math.max(1, run.step ?? 1));
    (this.bar.firstElementChild as HTMLElement).style.width = `${(share * 100).toFixed(1)}%`;
  }

  private allow(): void {
    if (!this.run) return;
    const { status, max_steps } = this.run;
    const isFinished = status === "finished";
    show(this.further, isFinished && max_steps !== null);
    this.stopButton.disabled = this.isActing || !STOPPABLE.has(status);
    const hasFurther = !isFinished || Number(this.until.value) > (max_steps ?? Infinity);
    this.resumeButton.disabled = this.isActing || !RESUMABLE.has(status) || !hasFurther;
  }

  private overrides(): string[] {
    return this.run?.status === "finished" ? [`train.max_steps=${Number(this.until.value)}`] : [];
  }

  private button(text: string, act: () => Promise<void>): HTMLButtonElement {
    const onclick = async (): Promise<void> => {
      this.isActing = true;
      this.allow();
      show(this.answer, false);
      try {
        await act();
      } catch (error) {
        setText(
          this.answer,
          [(error as Error).message, (error as { mend?: string }).mend].filter(Boolean).join("; "),
        );
        show(this.answer, true);
      } finally {
        this.isActing = false;
        this.allow();
      }
    };
    return h(
      "button",
      { type: "button", class: "raylm-button", disabled: true, onclick: () => void onclick() },
      text,
    );
  }
}

function position({ step, max_steps, status }: RunDetail, secondsLeft: number | null): string {
  if (step === null || (step === 0 && status === "running"))
    return status === "running" ? "getting ready" : "";
  const parts = [max_steps ? `step ${count(step)} of ${count(max_steps)}` : `step ${count(step)}`];
  if (max_steps) parts.push(`${Math.floor((step / max_steps) * 100)} %`);
  if (status === "running" && secondsLeft !== null) parts.push(`ETA ${duration(secondsLeft)}`);
  return parts.join(" · ");
}
