/** The runs of one chart: the one that is shown, and those laid over it. Each keeps its place, and so its colour. */
import type { Store, StoreError } from "../store";
import type { History, RunSummary } from "../types";
import { Series } from "./series";

export const MOST_RUNS = 8;

export interface Entry {
  runId: string;
  name: string;
  /** Place among the colours and dashes, the same for as long as the run is in the chart. */
  slot: number;
  series: Series;
  seen: string;
}

export class Curves {
  private entries: Entry[] = [];
  private shown: string | null = null;
  private readonly ticked = new Set<string>();

  /** The run that is shown first, then the others in the order in which they came. */
  get all(): Entry[] {
    return [...this.entries].sort((one, other) => this.rank(one) - this.rank(other));
  }

  get main(): Series {
    return this.entries.find(({ runId }) => runId === this.shown)?.series ?? new Series();
  }

  isTicked(runId: string): boolean {
    return this.ticked.has(runId);
  }

  show(runId: string): void {
    this.shown = runId;
    this.arrange();
  }

  /** Lay a run into the chart or take it out; false where there is no room for it. */
  toggle(runId: string): boolean {
    if (this.ticked.delete(runId)) {
      this.arrange();
      return true;
    }
    const others = new Set([...this.ticked, ...(this.shown === null ? [] : [this.shown]), runId]);
    if (others.size > MOST_RUNS) return false;
    this.ticked.add(runId);
    this.arrange();
    return true;
  }

  /** Ask for what is new of each run; true where a curve changed. `runs` is the list as last read. */
  async update(store: Store, runs: RunSummary[]): Promise<boolean> {
    const asked = this.entries.map((entry) =>
      this.ask(
        store,
        entry,
        runs.find(({ run_id }) => run_id === entry.runId),
      ),
    );
    return (await Promise.all(asked)).includes(true);
  }

  private async ask(store: Store, entry: Entry, run: RunSummary | undefined): Promise<boolean> {
    const { series, runId } = entry;
    entry.name = run?.name ?? entry.name;
    const seen = run ? `${run.status} ${run.step} ${run.attempt}` : "";
    const isStill = series.isRead && !series.isBehind && series.cursor !== null && seen === entry.seen;
    if (isStill && runId !== this.shown && run?.status !== "running") return false;
    try {
      const answer = await store.get<History>("history", { run_id: runId, cursor: series.cursor });
      entry.seen = seen;
      return series.take(answer);
    } catch (error) {
      if (runId === this.shown || (error as StoreError).isDisconnected) throw error;
      this.ticked.delete(runId); // it was deleted: the others are drawn without it
      this.arrange();
      return true;
    }
  }

  private arrange(): void {
    const wanted = new Set([...(this.shown === null ? [] : [this.shown]), ...this.ticked]);
    this.entries = this.entries.filter(({ runId }) => wanted.has(runId));
    for (const runId of wanted) {
      if (this.entries.some((entry) => entry.runId === runId)) continue;
      this.entries.push({ runId, name: runId, slot: this.freeSlot(), series: new Series(), seen: "" });
    }
  }

  private freeSlot(): number {
    const taken = new Set(this.entries.map(({ slot }) => slot));
    return [...Array(MOST_RUNS + 1).keys()].find((slot) => !taken.has(slot)) ?? 0;
  }

  private rank(entry: Entry): number {
    return entry.runId === this.shown ? -1 : this.entries.indexOf(entry);
  }
}
