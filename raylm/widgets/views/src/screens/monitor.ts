/** The Monitor screen: the runs of every storage, and one of them live. */
import "../styles/base.css";
import "../styles/runs.css";
import "../styles/monitor.css";
import { bringIntoView, fill, h, setText, show } from "../dom";
import { MOST_RUNS } from "../monitor/curves";
import { Detail, type Seen } from "../monitor/detail";
import { RunPicker } from "../monitor/runs";
import { disconnected, empty, loading, NoticePlace } from "../notice";
import { panel } from "../panel";
import { Poller, type Found } from "../poll";
import type { Context, Screen } from "../screen";
import type { StoreError } from "../store";
import type { RunSummary } from "../types";

const LIST_EVERY_MS = 2_000;

export const monitorScreen: Screen = (root, context) => {
  const monitor = new Monitor(root, context);
  return () => monitor.close();
};

class Monitor {
  private readonly notice: NoticePlace;
  private readonly full = h("p", { class: "raylm-answer", role: "alert", hidden: true });
  private readonly picker: RunPicker;
  private readonly detail: Detail;
  /** In place of the run: that it is being read, or why it cannot be. */
  private readonly refusal: NoticePlace;
  private readonly body: HTMLElement;
  private readonly poller: Poller;
  private readonly clock = window.setInterval(() => this.detail.age(this.notice.cause), 1_000);
  private readonly endObserving: () => void;
  private runId: string | null;
  private listed = 0;
  private runs: RunSummary[] = [];

  constructor(
    root: HTMLElement,
    private readonly context: Context,
  ) {
    this.runId = (context.shared.get("run_id") as string) || null;
    this.detail = new Detail(context.store, {
      wake: () => this.wake(),
      toggle: (runId) => this.toggle(runId),
      pace: (milliseconds) => this.poller.choosePace(milliseconds),
    });
    const find = (search: string) => context.store.list<RunSummary>("runs", { search });
    this.picker = new RunPicker(this.runId, find, (runId) => this.choose(runId), {
      isTicked: (runId) => this.detail.curves.isTicked(runId),
      toggle: (runId) => this.toggle(runId),
      hint: "Tick runs (Space) to lay their curves into one chart.",
    });
    this.picker.element.append(this.full);
    this.refusal = new NoticePlace(loading("Reading the run …"), this.detail.element);
    this.detail.element.hidden = true;
    const side = h("div", {}, this.refusal.element, this.detail.element);
    this.body = h("div", { class: "raylm-monitor", hidden: true }, this.picker.element, side);
    this.notice = new NoticePlace(loading("Reading the runs …"), this.body);
    fill(root, [h("div", { class: "raylm-screen" }, this.notice.element, this.body)]);
    this.endObserving = context.shared.observe("run_id", () => {
      const wanted = context.shared.get("run_id") as string;
      if (!wanted || wanted === this.runId) return;
      this.choose(wanted);
      bringIntoView(root);
    });
    this.poller = new Poller(root, () => this.ask(), context.pace);
  }

  close(): void {
    window.clearInterval(this.clock);
    this.endObserving();
    this.poller.close();
    this.picker.close();
    this.detail.close();
  }

  private choose(runId: string): void {
    this.runId = runId;
    this.refusal.wait("Reading the run …");
    this.context.shared.set("run_id", runId);
    this.picker.update(this.runs, runId);
    this.wake();
  }

  /** Lay a run into the chart, or take it out. */
  private toggle(runId: string): void {
    const hasRoom = this.detail.curves.toggle(runId);
    setText(this.full, hasRoom ? "" : `A chart holds ${MOST_RUNS} runs: take one out first.`);
    show(this.full, !hasRoom);
    this.picker.update(this.runs, this.runId);
    this.detail.draw();
    this.poller.wake();
  }

  private wake(): void {
    this.listed = 0;
    this.poller.wake();
  }

  private async ask(): Promise<Found> {
    try {
      const found = await this.refresh();
      this.notice.heard();
      this.notice.tell(
        this.runs.length > 0
          ? null
          : empty("No run yet", "Choose a recipe in Launch and start one: it appears here."),
      );
      return found;
    } catch (error) {
      return this.notice.lost(error as StoreError, () => this.wake());
    }
  }

  private async refresh(): Promise<Found> {
    // The list is read beside the run that is shown, whose curve must not wait for it.
    const list = this.list();
    list.catch(() => undefined);
    if (this.runId === null || this.runs.length === 0) await list;
    if (this.runId === null || this.runs.length === 0) return "quiet";
    const seen = await this.look(this.runId);
    const isListNew = await list;
    if (seen === null) return isListNew ? "changed" : "quiet";
    const { run, isChanged: isNew, isBehind } = seen;
    if (isBehind) return "behind";
    const isLively = run.status === "running" || run.status === "stopping";
    return isLively ? "running" : isListNew || isNew || run.status === "pending" ? "changed" : "quiet";
  }

  /** Show the run as it is now; null where the store refuses it: it was deleted, or there never was one. */
  private async look(runId: string): Promise<Seen | null> {
    this.detail.open(runId);
    try {
      const seen = await this.detail.update(this.runs);
      if (runId === this.runId) this.refusal.tell(null);
      return seen;
    } catch (error) {
      if ((error as StoreError).isDisconnected) throw error;
      if (runId === this.runId) this.refusal.tell(disconnected(error as StoreError, () => this.wake()));
      return null;
    }
  }

  /** Read the list of runs where it is time to; true where it has changed. */
  private async list(): Promise<boolean> {
    if (Date.now() - this.listed <= LIST_EVERY_MS) return false;
    this.runs = await this.context.store.list<RunSummary>("runs");
    this.listed = Date.now();
    this.runId ??= this.runs[0]?.run_id ?? null;
    if (this.runs.length > 0) this.notice.tell(null); // whatever becomes of the run: another can be chosen
    return this.picker.update(this.runs, this.runId);
  }
}

export default panel(monitorScreen);
