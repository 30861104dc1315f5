/** One of the two columns: which checkpoint is asked, how far it is, and what it wrote. */
import { fill, h, setAttribute, setText, show, uniqueId } from "../dom";
import { icon, type IconName } from "../icons";
import type { Store, StoreError } from "../store";
import { count, measure, words } from "../text";
import type { Ability, AskedRun, Problem, Values, Written } from "../types";
import { Answer } from "./answer";

const PAUSE_MS = 100;
const HIDDEN_PAUSE_MS = 1_000;
const NONE = "";

interface State {
  word: string;
  badge: string;
  icon: IconName;
}

const STATES = {
  ready: { word: "ready", badge: "pending", icon: "pending" },
  asking: { word: "asking …", badge: "pending", icon: "pending" },
  loading: { word: "loading the weights …", badge: "pending", icon: "pending" },
  waiting: { word: "waiting for its turn …", badge: "pending", icon: "pending" },
  writing: { word: "writing", badge: "running", icon: "running" },
  done: { word: "done", badge: "finished", icon: "finished" },
  interrupted: { word: "interrupted", badge: "stopped", icon: "stopped" },
  failed: { word: "failed", badge: "failed", icon: "failed" },
} satisfies Record<string, State>;

export class Column {
  private readonly run = h("select", { id: uniqueId("run") });
  private readonly step = h("select", { id: uniqueId("step"), class: "raylm-step" });
  private readonly help = h("p", { class: "raylm-help" });
  private readonly badge = h("span", { class: "raylm-badge" });
  private readonly problem = h("span", { class: "raylm-reason" });
  private readonly figures = h("span", { class: "raylm-figures", "aria-live": "off" });
  private readonly answer: Answer;
  readonly picker: HTMLElement;
  readonly output: HTMLElement;
  private runs: AskedRun[] = [];
  private ability: Ability | null = null;
  private writingId: string | null = null;
  private isInterrupted = false;
  isWriting = false;
  /** Whether what the chosen checkpoint can do is still being asked. */
  isLearning = false;

  constructor(
    readonly name: string,
    private readonly store: Store,
    private readonly isOptional: boolean,
    private readonly onChoose: () => void,
  ) {
    this.answer = new Answer(name);
    this.run.addEventListener("change", () => this.choose(this.run.value));
    this.picker = h(
      "div",
      { class: "raylm-picker" },
      h("label", { for: this.run.id }, `Run ${name}`),
      this.run,
      h("label", { for: this.step.id }, `Step ${name}`),
      this.step,
      this.help,
    );
    const status = h(
      "div",
      { class: "raylm-status", role: "status" },
      this.badge,
      this.problem,
      this.figures,
    );
    this.output = h(
      "section",
      { class: "raylm-card raylm-column", "aria-label": `Column ${name}` },
      h("header", {}, h("h3", {}, name), status),
      this.answer.element,
    );
    this.tell("ready");
  }

  /** What the chosen checkpoint can do; null for none, and until it is known. */
  get can(): Ability | null {
    return this.ability?.run_id === this.run.value ? this.ability : null;
  }

  get runId(): string {
    return this.run.value;
  }

  /** Show these runs; the chosen one and its step stay, and a new checkpoint is offered. */
  update(runs: AskedRun[], wanted: string | null): void {
    if (JSON.stringify(runs) === JSON.stringify(this.runs)) {
      const isUnknown = this.runId !== NONE && this.can === null && !this.isLearning;
      if (isUnknown) void this.learn(this.runId); // the last time nobody answered
      return;
    }
    this.runs = runs;
    const chosen = this.run.value || (this.isOptional ? NONE : wanted) || "";
    const none = this.isOptional ? [h("option", { value: NONE }, "none")] : [];
    fill(this.run, [...none, ...runs.map(({ run_id }) => h("option", { value: run_id }, run_id))]);
    const isThere = runs.some(({ run_id }) => run_id === chosen);
    const first = this.isOptional ? NONE : (runs[0]?.run_id ?? NONE);
    this.choose(isThere ? chosen : first);
  }

  choose(runId: string): void {
    const step = this.ability?.run_id === runId ? this.step.value : "";
    this.run.value = runId;
    const steps = (this.runs.find(({ run_id }) => run_id === runId)?.steps ?? []).toReversed();
    fill(
      this.step,
      steps.map((each) => h("option", { value: each }, count(each))),
    );
    if (steps.includes(Number(step))) this.step.value = step;
    this.step.disabled = steps.length === 0;
    show(this.output, runId !== NONE);
    void this.learn(runId);
  }

  /** Ask the checkpoint and show what comes, until it is done; never throws. */
  async write(prompt: string, decoding: Values): Promise<Problem[]> {
    this.isWriting = true;
    this.isInterrupted = false;
    this.answer.clear(this.can?.does === "continue" ? prompt : "");
    setText(this.figures, "");
    this.tell("asking");
    try {
      await this.stream(prompt, decoding);
      return [];
    } catch (error) {
      const { message, mend, problems } = error as StoreError;
      this.tell("failed", [message, mend].filter(Boolean).join("; "));
      return problems ?? [];
    } finally {
      this.isWriting = false;
      this.writingId = null;
    }
  }

  /** Have it write no more. */
  async interrupt(): Promise<void> {
    if (!this.isWriting) return;
    this.isInterrupted = true; // an id that comes later is interrupted then
    if (this.writingId === null) return;
    try {
      await this.store.command("interrupt", { writing_id: this.writingId });
    } catch {
      // Whoever reads what is written hears of it as well.
    }
  }

  private async stream(prompt: string, decoding: Values): Promise<void> {
    const { writing_id } = await this.store.command<{ writing_id: string }>("generate", {
      run_id: this.run.value,
      step: Number(this.step.value),
      prompt,
      decoding,
    });
    this.writingId = writing_id;
    if (this.isInterrupted) void this.interrupt();
    for (let cursor = 0; ;) {
      const found = await this.store.get<Written>("written", { writing_id, cursor });
      cursor = found.cursor;
      this.take(found);
      if (found.is_done) return;
      const isMore = found.state === "done" || found.state === "failed"; // the rest of a long text
      if (!isMore) await pause(document.hidden ? HIDDEN_PAUSE_MS : PAUSE_MS);
    }
  }

  private take(found: Written): void {
    this.answer.add(found.text);
    setText(this.figures, figuresOf(found));
    if (!found.is_done) {
      if (found.state in STATES) this.tell(found.state === "done" ? "writing" : found.state);
      return;
    }
    if (found.error) {
      const { field, message, mend } = found.error;
      this.tell("failed", [field ? `${words(field)} ${message}` : message, mend].filter(Boolean).join("; "));
      return;
    }
    this.answer.finish(found.details);
    this.tell(found.figures.reason === "cancelled" ? "interrupted" : "done");
  }

  private tell(name: keyof typeof STATES, problem = ""): void {
    const state: State = STATES[name];
    this.badge.className = `raylm-badge raylm-state-${state.badge}`;
    if (this.badge.textContent !== state.word) fill(this.badge, [icon(state.icon), state.word]);
    setText(this.problem, problem);
    setAttribute(this.output, "data-state", name);
  }

  private async learn(runId: string): Promise<void> {
    let problem = "";
    this.isLearning = runId !== NONE && this.ability?.run_id !== runId;
    if (this.isLearning) {
      this.onChoose();
      try {
        const found = await this.store.get<Ability>("playground", { run_id: runId });
        if (this.run.value !== runId) return; // another was chosen meanwhile
        this.ability = found;
      } catch (error) {
        if (this.run.value !== runId) return;
        problem = (error as StoreError).message;
      }
      this.isLearning = false;
    }
    const can = this.can;
    setText(this.help, can ? [can.family, can.help].filter(Boolean).join(": ") : problem);
    this.onChoose();
  }
}

function figuresOf({ figures }: Written): string {
  const { num_tokens, seconds, tokens_per_second } = figures;
  return [
    num_tokens ? `${count(num_tokens)} tokens` : "",
    num_tokens && tokens_per_second ? `${measure(tokens_per_second)} tokens/s` : "",
    seconds ? `${seconds.toFixed(seconds < 10 ? 2 : 0)} s` : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => window.setTimeout(resolve, milliseconds));
}
