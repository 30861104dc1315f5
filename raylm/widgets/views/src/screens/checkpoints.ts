/** The Checkpoints screen: the runs of every storage, and what one of them has saved. */
import "../styles/base.css";
import "../styles/runs.css";
import "../styles/ask.css";
import "../styles/checkpoints.css";
import { CheckpointDesk } from "../checkpoints/desk";
import { fill, h } from "../dom";
import { RunPicker } from "../monitor/runs";
import { disconnected, empty, loading, NoticePlace } from "../notice";
import { panel } from "../panel";
import { Poller, type Found } from "../poll";
import type { Context, Screen } from "../screen";
import type { StoreError } from "../store";
import type { RunSummary } from "../types";

export const checkpointsScreen: Screen = (root, context) => {
  const screen = new CheckpointsScreen(root, context);
  return () => screen.close();
};

class CheckpointsScreen {
  private readonly notice: NoticePlace;
  private readonly picker: RunPicker;
  private readonly desk: CheckpointDesk;
  /** In place of the run: that it is being looked for, or why it cannot be shown. */
  private readonly refusal: NoticePlace;
  private readonly body: HTMLElement;
  private readonly poller: Poller;
  private readonly clock = window.setInterval(() => this.desk.age(this.notice.cause), 1_000);
  private readonly endObserving: () => void;
  private runId: string | null;
  private runs: RunSummary[] = [];

  constructor(
    root: HTMLElement,
    private readonly context: Context,
  ) {
    this.runId = this.shared();
    const find = (search: string) => context.store.list<RunSummary>("runs", { search });
    this.picker = new RunPicker(this.runId, find, (runId) => this.choose(runId));
    this.desk = new CheckpointDesk(context, () => this.poller.wake());
    this.refusal = new NoticePlace(loading("Reading the run …"), this.desk.element);
    this.desk.element.hidden = true;
    const side = h("div", {}, this.refusal.element, this.desk.element);
    this.body = h("div", { class: "raylm-beside", hidden: true }, this.picker.element, side);
    this.notice = new NoticePlace(loading("Reading the runs …"), this.body);
    fill(root, [h("div", { class: "raylm-screen raylm-checkpoints" }, this.notice.element, this.body)]);
    this.endObserving = context.shared.observe("run_id", () => this.follow());
    this.poller = new Poller(root, () => this.ask());
  }

  close(): void {
    window.clearInterval(this.clock);
    this.endObserving();
    this.poller.close();
    this.picker.close();
    this.desk.close();
  }

  private shared(): string | null {
    return (this.context.shared.get("run_id") as string) || null;
  }

  private choose(runId: string): void {
    this.open(runId);
    this.context.shared.set("run_id", runId);
  }

  /** A run was chosen or started in another panel. */
  private follow(): void {
    const wanted = this.shared();
    if (wanted !== null && wanted !== this.runId) this.open(wanted);
  }

  private open(runId: string): void {
    this.runId = runId;
    this.picker.update(this.runs, runId);
    const run = this.runs.find(({ run_id }) => run_id === runId);
    if (run) this.show(run);
    else this.refusal.tell(loading("Reading the run …"));
    this.poller.wake();
  }

  private async ask(): Promise<Found> {
    try {
      const found = await this.refresh();
      this.notice.heard();
      const next = "Choose a recipe in Launch and start one: what it saves appears here.";
      this.notice.tell(this.runs.length > 0 ? null : empty("No run yet", next));
      return found;
    } catch (error) {
      return this.notice.lost(error as StoreError, () => this.poller.wake());
    }
  }

  private async refresh(): Promise<Found> {
    this.runs = await this.context.store.list<RunSummary>("runs");
    this.runId ??= this.runs[0]?.run_id ?? null;
    const { runId } = this;
    const isChanged = this.picker.update(this.runs, runId);
    if (runId === null || this.runs.length === 0) return "quiet";
    this.notice.tell(null); // whatever becomes of the run: another can be chosen
    try {
      const run = await this.find(runId);
      if (runId !== this.runId) return "changed"; // another was chosen meanwhile
      this.show(run);
      const isNew = await this.desk.update();
      const isLive = ["pending", "running", "stopping"].includes(run.status);
      return isLive || isChanged || isNew ? "changed" : "quiet";
    } catch (error) {
      if ((error as StoreError).isDisconnected) throw error;
      this.refuse(runId, error as StoreError);
      return isChanged ? "changed" : "quiet";
    }
  }

  /** The run, also where it is not among the newest, which are listed. */
  private async find(run_id: string): Promise<RunSummary> {
    const listed = this.runs.find((run) => run.run_id === run_id);
    return listed ?? (await this.context.store.get<RunSummary>("run", { run_id }));
  }

  private show(run: RunSummary): void {
    this.desk.open(run);
    this.refusal.tell(null);
  }

  private refuse(runId: string, error: StoreError): void {
    if (runId === this.runId) this.refusal.tell(disconnected(error, () => this.poller.wake()));
  }
}

export default panel(checkpointsScreen);
