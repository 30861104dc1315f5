/** One run, live: head, curve, measures, events and log, each read on from its own cursor. */
import { h, show, uniqueId } from "../dom";
import type { Store } from "../store";
import type { EventRecord, MetricRecord, Page, RunDetail } from "../types";
import { Chart, type ChartOptions } from "./chart";
import { Events } from "./events";
import { LogTail } from "./log";
import { secondsLeft, Series } from "./series";
import { Stats } from "./stats";
import { StatusHead } from "./status";
import { Table } from "./table";

export class Detail {
  private readonly options: ChartOptions = { isLog: false, isSmooth: true, axis: "step" };
  private readonly head: StatusHead;
  private readonly chart = new Chart(this.options);
  private readonly stats = new Stats();
  private readonly table = new Table();
  private readonly events = new Events();
  private readonly log: LogTail;
  private readonly isTable = h("input", { type: "checkbox", id: uniqueId("table") });
  readonly element: HTMLElement;
  private series = new Series();
  private cursors: { metrics: string | null; events: string | null } = { metrics: null, events: null };
  private runId: string | null = null;
  private answered = Date.now();

  constructor(
    private readonly store: Store,
    wake: () => void,
  ) {
    const act = async (name: string, args: Record<string, unknown> = {}): Promise<void> => {
      await store.command(name, { run_id: this.runId, ...args });
      wake();
    };
    this.head = new StatusHead({
      stop: () => act("stop"),
      resume: (overrides) => act("resume", { overrides }),
    });
    this.log = new LogTail(wake);
    this.element = h(
      "div",
      { class: "raylm-detail" },
      this.head.element,
      h("section", { class: "raylm-card raylm-curve" }, this.tools(), this.chart.element, this.table.element),
      this.stats.element,
      h("div", { class: "raylm-pair" }, this.events.element, this.log.element),
    );
    this.draw();
  }

  /** Show another run from its start. */
  open(runId: string): void {
    if (runId === this.runId) return;
    this.runId = runId;
    this.series = new Series();
    this.cursors = { metrics: null, events: null };
    this.events.clear();
    this.log.open(runId);
    this.draw();
  }

  /** Read what is new; answers the run, and whether anything came. */
  async update(): Promise<{ run: RunDetail; isChanged: boolean }> {
    const runId = this.runId as string;
    const [run, metrics, events] = await Promise.all([
      this.store.get<RunDetail>("run", { run_id: runId }),
      this.curve(runId),
      this.store.read<EventRecord>(runId, "events", this.cursors.events),
    ]);
    if (runId !== this.runId) return { run, isChanged: true }; // another run was chosen meanwhile
    this.cursors = { metrics: metrics.cursor, events: events.cursor };
    const isCurveNew = this.series.add(metrics.records);
    this.events.add(events.records);
    const hasLines = await this.log.update(this.store, run.logs);
    this.answered = Date.now();
    if (isCurveNew) this.draw();
    this.head.update(run, secondsLeft(this.series.rows, run.max_steps));
    return { run, isChanged: isCurveNew || hasLines || events.records.length > 0 };
  }

  /** Say how old the numbers are; called once a second. */
  age(cause: string): void {
    this.head.age((Date.now() - this.answered) / 1000, cause);
  }

  close(): void {
    this.chart.close();
  }

  /** The whole history at first, thinned by the store; then only what was added. */
  private curve(runId: string): Promise<Page<MetricRecord>> {
    if (this.cursors.metrics === null)
      return this.store.get<Page<MetricRecord>>("history", { run_id: runId });
    return this.store.read<MetricRecord>(runId, "metrics", this.cursors.metrics);
  }

  private draw(): void {
    show(this.table.element, this.isTable.checked);
    show(this.chart.element, !this.isTable.checked);
    if (this.isTable.checked) this.table.update(this.series);
    else this.chart.update(this.series, this.options);
    this.stats.update(this.series);
  }

  private tools(): HTMLElement {
    const axis = h(
      "select",
      { id: uniqueId("axis") },
      h("option", { value: "step" }, "steps"),
      h("option", { value: "tokens_seen" }, "tokens"),
    );
    axis.addEventListener("change", () => {
      this.options.axis = axis.value as ChartOptions["axis"];
      this.draw();
    });
    this.isTable.addEventListener("change", () => this.draw());
    return h(
      "header",
      {},
      h("h3", {}, "Loss"),
      this.toggle("Log scale", "isLog"),
      this.toggle("Smooth", "isSmooth"),
      h("span", { class: "raylm-tool" }, h("label", { for: axis.id }, "over"), axis),
      h("span", { class: "raylm-tool" }, this.isTable, h("label", { for: this.isTable.id }, "Table")),
    );
  }

  private toggle(text: string, name: "isLog" | "isSmooth"): HTMLElement {
    const input = h("input", { type: "checkbox", id: uniqueId(name) });
    input.checked = this.options[name];
    input.addEventListener("change", () => {
      this.options[name] = input.checked;
      this.draw();
    });
    return h("span", { class: "raylm-tool" }, input, h("label", { for: input.id }, text));
  }
}
