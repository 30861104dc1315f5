/** One run's checkpoints: the table, and what can be done with those that are checked. */
import { fill, h, setText, show } from "../dom";
import { icon } from "../icons";
import { empty, loading } from "../notice";
import type { Context } from "../screen";
import { count, duration } from "../text";
import type { Checkpoint, CheckpointPair, ExportState, RunSummary, Verification } from "../types";
import { Actions, type Action } from "./actions";
import { Comparison } from "./comparison";
import { ExportWatch } from "./exports";
import { FormPlace, type FormPlan } from "./form";
import { deletePlan, exportPlan, forkPlan, resumePlan } from "./plans";
import { Said, sentence } from "./said";
import { CheckpointTable } from "./table";
import { VerificationWatch } from "./verifying";

export class CheckpointDesk {
  private readonly title = h("h2", { class: "raylm-run-title" });
  private readonly badge = h("span", { class: "raylm-badge" });
  private readonly stale = h("span", { class: "raylm-stale", hidden: true });
  private readonly actions = new Actions((action) => void this.act(action));
  private readonly table = new CheckpointTable(() => this.chosen());
  private readonly comparison = new Comparison(() => this.actions.focus("Compare"));
  private readonly form = new FormPlace();
  private readonly said = new Said();
  private readonly nothing = h("div", { hidden: true });
  private readonly exports: ExportWatch;
  private readonly verifying: VerificationWatch;
  readonly element: HTMLElement;
  private run: RunSummary | null = null;
  private checkpoints: Checkpoint[] = [];
  private isActing = false;
  private answered = Date.now();
  private ids = new Map<string, Promise<string>>();

  constructor(
    private readonly context: Context,
    private readonly wake: () => void,
  ) {
    this.exports = new ExportWatch(context.store, this.said);
    this.verifying = new VerificationWatch(context.store, this.said, wake);
    this.element = h(
      "div",
      { class: "raylm-saved" },
      h("header", { class: "raylm-head-line" }, h("div", {}, this.title, this.badge, this.stale)),
      this.actions.element,
      this.form.element,
      this.said.element,
      this.nothing,
      this.table.element,
      this.comparison.element,
    );
  }

  /** Show a run; another one than before is read from its start. */
  open(run: RunSummary): void {
    const isOther = run.run_id !== this.run?.run_id;
    this.run = run;
    setText(this.title, run.run_id);
    this.badge.className = `raylm-badge raylm-state-${run.status}`;
    if (this.badge.textContent !== run.status) fill(this.badge, [icon(run.status), run.status]);
    if (!isOther) return;
    this.checkpoints = [];
    this.table.clear();
    this.form.close();
    this.comparison.close();
    this.leave();
    this.said.clear();
    this.tell(loading("Reading the checkpoints …"));
    this.allow();
    void this.exports.find(run.run_id);
  }

  /** Read the list again; true where it has changed. */
  async update(): Promise<boolean> {
    const run_id = this.run?.run_id;
    const found = await this.context.store.list<Checkpoint>("checkpoints", { run_id });
    if (run_id !== this.run?.run_id) return true; // another run was chosen meanwhile
    this.answered = Date.now();
    this.checkpoints = found;
    const isChanged = this.table.update(found);
    const next = "A run saves one every few steps and when it stops. They appear here.";
    this.tell(found.length > 0 ? null : empty("No checkpoint yet", next));
    this.allow();
    return isChanged;
  }

  /** Say how old the list is while the store does not answer; called once a second. */
  age(cause: string): void {
    show(this.stale, cause !== "");
    setText(this.stale, `${cause} as of ${duration((Date.now() - this.answered) / 1000)} ago`);
  }

  close(): void {
    this.leave();
  }

  /** Say no more of what goes on by itself. */
  private leave(): void {
    this.exports.close();
    this.verifying.close();
  }

  private tell(notice: HTMLElement | null): void {
    if (this.nothing.textContent !== (notice?.textContent ?? "")) fill(this.nothing, [notice]);
    show(this.nothing, notice !== null);
    show(this.table.element, notice === null);
  }

  private chosen(): void {
    this.form.close();
    this.allow();
  }

  private allow(): void {
    if (this.run) this.actions.allow(this.run, this.checkpoints, this.table.chosen(), this.isActing);
  }

  private async act(action: Action): Promise<void> {
    const run = this.run as RunSummary;
    const [first] = this.table.chosen() as [Checkpoint];
    const deeds: Record<Action, () => Promise<void> | void> = {
      Compare: () => this.compare(run),
      Resume: () => this.resume(run),
      Fork: () =>
        this.ask(
          "Fork",
          forkPlan(run, first, (...given) => this.fork(run, first, ...given)),
        ),
      Export: () =>
        this.ask(
          "Export",
          exportPlan(run, first, (folder) => this.export(run, first, folder)),
        ),
      Verify: () => this.verify(run, first),
      Delete: () => this.delete(run, first),
    };
    await deeds[action]();
  }

  /** Open a form; what it does is guarded like any other action. */
  private ask(action: Action, plan: FormPlan): void {
    this.said.clear();
    this.form.open(plan, () => this.actions.focus(action));
  }

  /** Do something that takes time, saying so; a failure is told and, where a form asked, thrown on to it. */
  private async doing(sentence_: string, deed: () => Promise<void>, isOfForm = false): Promise<void> {
    this.leave();
    this.said.say(sentence_, "busy");
    this.isActing = true;
    this.allow();
    try {
      await deed();
    } catch (error) {
      if (isOfForm) {
        this.said.clear();
        throw error;
      }
      this.said.say(sentence(error), "problem");
    } finally {
      this.isActing = false;
      this.allow();
    }
  }

  private compare(run: RunSummary): Promise<void> {
    const steps = this.table.chosen().map(({ step }) => step);
    const checkpoints = steps.sort((a, b) => a - b).map((step) => ({ run_id: run.run_id, step }));
    this.form.close();
    return this.doing("Comparing …", async () => {
      const pair = await this.context.store.get<CheckpointPair>("compare_checkpoints", { checkpoints });
      this.comparison.update(pair);
      this.said.say(
        `Compared ${checkpoints.map(({ step }) => `step ${count(step)}`).join(" and ")}.`,
        "good",
      );
    });
  }

  private resume(run: RunSummary): Promise<void> | void {
    if (run.status !== "finished") return this.start(`Resuming ${run.run_id} …`, run, [], false);
    this.ask(
      "Resume",
      resumePlan(run, (overrides) => this.start("Resuming …", run, overrides, true)),
    );
  }

  private start(busy: string, run: RunSummary, overrides: string[], isOfForm: boolean): Promise<void> {
    const deed = async (): Promise<void> => {
      await this.context.store.command("resume", { run_id: run.run_id, overrides });
      this.said.say(`Resumed ${run.run_id}.`, "good");
      this.started(run.run_id);
    };
    return this.doing(busy, deed, isOfForm);
  }

  private fork(run: RunSummary, { step }: Checkpoint, name: string, changes: string[]): Promise<void> {
    const deed = async (): Promise<void> => {
      const child_id = await this.idFor(name);
      const overrides = [`name=${name}`, ...changes];
      await this.context.store.command("fork", { run_id: run.run_id, step, child_id, overrides });
      this.ids.clear(); // the next fork is another run
      this.started(child_id);
    };
    return this.doing(`Checking step ${count(step)} and starting ${name} …`, deed, true);
  }

  /** Made once a name, so that sending the form again, after silence, starts no second run. */
  private idFor(name: string): Promise<string> {
    const made = this.ids.get(name) ?? this.context.store.get<string>("run_id", { name: name || " " });
    this.ids.set(name, made);
    made.catch(() => this.ids.delete(name));
    return made;
  }

  private export(run: RunSummary, { step }: Checkpoint, folder: string): Promise<void> {
    const deed = async (): Promise<void> => {
      const asked = { run_id: run.run_id, step, folder };
      this.exports.follow(await this.context.store.command<ExportState>("export", asked));
    };
    return this.doing("Starting the export …", deed, true);
  }

  private verify(run: RunSummary, { step }: Checkpoint): Promise<void> {
    this.form.close();
    return this.doing(`Verifying step ${count(step)} …`, async () => {
      const asked = { run_id: run.run_id, step };
      this.verifying.follow(await this.context.store.command<Verification>("verify_checkpoint", asked));
    });
  }

  private delete(run: RunSummary, one: Checkpoint): void {
    if (one.pinned_by.length > 0) {
      this.form.close();
      const runs = one.pinned_by.join(", ");
      const mend = one.pinned_by.length > 1 ? "Delete those runs first." : "Delete that run first.";
      this.said.say(`Step ${count(one.step)} stays: ${runs} began with it. ${mend}`, "problem");
      return;
    }
    const deed = async (): Promise<void> => {
      await this.context.store.command("delete_checkpoint", { run_id: run.run_id, step: one.step });
      await this.update();
      this.said.say(`Deleted step ${count(one.step)}.`, "good");
    };
    this.ask(
      "Delete",
      deletePlan(run, one, () => this.doing(`Deleting step ${count(one.step)} …`, deed, true)),
    );
  }

  /** Tell the shell, which shows the run in Monitor. */
  private started(run_id: string): void {
    this.context.shared.set("run_id", run_id);
    this.context.shared.set("started", run_id);
    this.wake();
  }
}
