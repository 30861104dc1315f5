/** One run, live: head, curves, measures, events and log, each read on from its own cursor. */
import { h } from "../dom";
import type { Store } from "../store";
import type { EventRecord, RunDetail, RunSummary } from "../types";
import { CurveCard } from "./curve";
import { Curves } from "./curves";
import { Events } from "./events";
import { LogTail } from "./log";
import { secondsLeft } from "./series";
import { Stats } from "./stats";
import { StatusHead } from "./status";

export interface DetailActions {
  /** Ask again at once. */
  wake(): void;
  /** Lay a run into the chart or take it out. */
  toggle(runId: string): void;
  pace(milliseconds: number): void;
}

/** What an update saw. */
export interface Seen {
  run: RunDetail;
  isChanged: boolean;
  /** Whether a long curve is still being read: ask again at once. */
  isBehind: boolean;
}

export class Detail {
  readonly curves = new Curves();
  private readonly head: StatusHead;
  private readonly card: CurveCard;
  private readonly stats = new Stats();
  private readonly events = new Events();
  private readonly log: LogTail;
  readonly element: HTMLElement;
  private eventsCursor: string | null = null;
  private runId: string | null = null;
  private answered = Date.now();

  constructor(
    private readonly store: Store,
    actions: DetailActions,
  ) {
    const act = async (name: string, args: Record<string, unknown> = {}): Promise<void> => {
      await store.command(name, { run_id: this.runId, ...args });
      actions.wake();
    };
    this.head = new StatusHead({
      stop: () => act("stop"),
      resume: (overrides) => act("resume", { overrides }),
    });
    this.card = new CurveCard(this.curves, { remove: actions.toggle, pace: actions.pace });
    this.log = new LogTail(actions.wake);
    this.element = h(
      "div",
      { class: "raylm-detail" },
      this.head.element,
      this.card.element,
      this.stats.element,
      h("div", { class: "raylm-pair" }, this.events.element, this.log.element),
    );
    this.draw();
  }

  /** Show another run from its start. */
  open(runId: string): void {
    if (runId === this.runId) return;
    this.runId = runId;
    this.curves.show(runId);
    this.eventsCursor = null;
    this.events.clear();
    this.log.open(runId);
    this.draw();
  }

  /** Read what is new; answers the run, and whether anything came. `runs` is the list as last read. */
  async update(runs: RunSummary[]): Promise<Seen> {
    const runId = this.runId as string;
    const log = this.log.update(this.store); // in flight beside the others: a curve must not wait for it
    log.catch(() => undefined); // told below, unless another question is refused first
    const [run, isCurveNew, events] = await Promise.all([
      this.store.get<RunDetail>("run", { run_id: runId }),
      this.curves.update(this.store, runs).then((isNew) => this.drawn(isNew)),
      this.store.read<EventRecord>(runId, "events", this.eventsCursor),
    ]);
    if (runId !== this.runId) return { run, isChanged: true, isBehind: false }; // another run was chosen meanwhile
    this.eventsCursor = events.cursor;
    this.events.add(events.records);
    const isBehind = this.curves.all.some(({ series }) => series.isBehind);
    this.head.update(run, secondsLeft(this.curves.main, run.max_steps));
    let hasLines = await log;
    if (this.log.offer(run.logs)) hasLines = await this.log.update(this.store);
    this.answered = Date.now();
    return { run, isChanged: isCurveNew || hasLines || events.records.length > 0, isBehind };
  }

  /** Draw what is in the chart now. */
  draw(): void {
    this.card.draw(this.runId);
    this.stats.update(this.curves.main);
  }

  /** Say how old the numbers are; called once a second. */
  age(cause: string): void {
    this.head.age((Date.now() - this.answered) / 1000, cause);
  }

  close(): void {
    this.card.close();
  }

  /** As soon as the curve is there, whatever else is still on its way. */
  private drawn(isNew: boolean): boolean {
    if (isNew) this.draw();
    return isNew;
  }
}
