/** The Monitor screen: the runs of every storage, and one of them live. */
import "../styles/base.css";
import "../styles/runs.css";
import "../styles/monitor.css";
import { bringIntoView, fill, h } from "../dom";
import { Detail } from "../monitor/detail";
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
  private readonly picker: RunPicker;
  private readonly detail: Detail;
  private readonly body: HTMLElement;
  private readonly poller: Poller;
  private readonly clock = window.setInterval(() => this.detail.age(this.cause), 1_000);
  private readonly endObserving: () => void;
  private runId: string | null;
  private listed = 0;
  private runs: RunSummary[] = [];
  private cause = "";
  private isAnswered = false;

  constructor(
    root: HTMLElement,
    private readonly context: Context,
  ) {
    this.runId = (context.shared.get("run_id") as string) || null;
    this.picker = new RunPicker(this.runId, (runId) => this.choose(runId));
    this.detail = new Detail(context.store, () => this.wake());
    this.body = h("div", { class: "raylm-monitor", hidden: true }, this.picker.element, this.detail.element);
    this.notice = new NoticePlace(loading("Reading the runs …"), this.body);
    fill(root, [h("div", { class: "raylm-screen" }, this.notice.element, this.body)]);
    this.endObserving = context.shared.observe("run_id", () => {
      const wanted = context.shared.get("run_id") as string;
      if (!wanted || wanted === this.runId) return;
      this.choose(wanted);
      bringIntoView(root);
    });
    this.poller = new Poller(root, () => this.ask());
  }

  close(): void {
    window.clearInterval(this.clock);
    this.endObserving();
    this.poller.close();
    this.detail.close();
  }

  private choose(runId: string): void {
    this.runId = runId;
    this.context.shared.set("run_id", runId);
    this.picker.update(this.runs, runId);
    this.wake();
  }

  private wake(): void {
    this.listed = 0;
    this.poller.wake();
  }

  private async ask(): Promise<Found> {
    try {
      const found = await this.refresh();
      this.cause = "";
      this.isAnswered = true;
      this.notice.tell(
        this.runs.length > 0
          ? null
          : empty("No run yet", "Choose a recipe in Launch and start one: it appears here."),
      );
      return found;
    } catch (error) {
      return this.fail(error as StoreError);
    }
  }

  private async refresh(): Promise<Found> {
    let isChanged = false;
    if (Date.now() - this.listed > LIST_EVERY_MS) {
      this.runs = await this.context.store.list<RunSummary>("runs");
      this.listed = Date.now();
      this.runId ??= this.runs[0]?.run_id ?? null;
      isChanged = this.picker.update(this.runs, this.runId);
    }
    if (this.runId === null || this.runs.length === 0) return "quiet";
    this.detail.open(this.runId);
    const { run, isChanged: isNew } = await this.detail.update();
    const isLively = run.status === "running" || run.status === "stopping";
    return isLively ? "running" : isChanged || isNew || run.status === "pending" ? "changed" : "quiet";
  }

  /** What was shown stays, marked with its age; with nothing shown yet the cause takes its place. */
  private fail(error: StoreError): Found {
    this.cause = `${error.message}`;
    this.notice.tell(
      disconnected(error, () => this.wake()),
      this.isAnswered,
    );
    return "quiet";
  }
}

export default panel(monitorScreen);
