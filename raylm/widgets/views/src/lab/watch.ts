/** Asks for the newest runs and all live ones while the page is visible, and tells which have ended. */
import type { Store, StoreError } from "../store";
import { clean } from "../text";
import type { RunSummary, StatusWord } from "../types";

export const LIVE: ReadonlySet<StatusWord> = new Set<StatusWord>(["pending", "running", "stopping"]);

const WATCHED = 50;
const LIVE_MS = 2_000;
const SLOWEST_MS = 60_000;
const GROWTH = 1.5;

export interface Listener {
  /** The newest runs and those that are live, newest first, or why they cannot be told. */
  onRuns?(runs: RunSummary[], error: StoreError | null): void;
  /** A run that was live when last asked is not any more. */
  onEnd?(run: RunSummary): void;
}

/** Every 2 s while a run is live, growing to 60 s while none is; paused while the page is hidden. */
export class RunWatch {
  runs: RunSummary[] = [];
  error: StoreError | null = null;
  isAnswered = false;
  private readonly listeners = new Set<Listener>();
  private readonly live = new Set<string>();
  private timer: number | undefined;
  private delay = LIVE_MS;
  private isAsking = false;

  constructor(private readonly store: Store) {
    document.addEventListener("visibilitychange", () => this.wake());
    window.addEventListener("focus", () => this.wake());
    this.wake();
  }

  get numLive(): number {
    return this.runs.filter(({ status }) => LIVE.has(status)).length;
  }

  /** Calls back from now on, at once where the runs are known; returns the function that ends it. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    if (this.isAnswered || this.error) listener.onRuns?.(this.runs, this.error);
    return () => this.listeners.delete(listener);
  }

  /** Ask now, and start again at the quick pace. */
  wake(): void {
    this.delay = LIVE_MS;
    void this.round();
  }

  private async round(): Promise<void> {
    window.clearTimeout(this.timer);
    if (document.hidden || this.isAsking) return;
    this.isAsking = true;
    try {
      await this.take(await this.read());
    } catch (error) {
      this.error = error as StoreError;
    }
    this.isAsking = false;
    this.delay = this.numLive > 0 && !this.error ? LIVE_MS : Math.min(SLOWEST_MS, this.delay * GROWTH);
    this.timer = window.setTimeout(() => void this.round(), this.delay);
    for (const listener of this.listeners) listener.onRuns?.(this.runs, this.error);
  }

  /** A toast is JupyterLab's, which shows a text as it comes. */
  private tellEnd(run: RunSummary): void {
    const told = { ...run, name: clean(run.name), reason: clean(run.reason) };
    for (const listener of this.listeners) listener.onEnd?.(told);
  }

  /** A long run is live still when many others have begun and ended since. */
  private async read(): Promise<RunSummary[]> {
    const [newest, live] = await Promise.all([
      this.store.list<RunSummary>("runs", { limit: WATCHED }),
      this.store.list<RunSummary>("runs", { is_live: true }),
    ]);
    const listed = new Set(newest.map(({ run_id }) => run_id));
    return [...newest, ...live.filter(({ run_id }) => !listed.has(run_id))];
  }

  private async take(runs: RunSummary[]): Promise<void> {
    this.runs = runs;
    this.error = null;
    this.isAnswered = true;
    const listed = new Set(runs.map(({ run_id }) => run_id));
    for (const run of runs) this.see(run);
    for (const run_id of this.live) if (!listed.has(run_id)) await this.ask(run_id);
  }

  private see(run: RunSummary): void {
    if (LIVE.has(run.status)) this.live.add(run.run_id);
    else if (this.live.delete(run.run_id)) this.tellEnd(run);
  }

  /** One that was live, is not any more, and is too old to be listed. */
  private async ask(run_id: string): Promise<void> {
    try {
      this.see(await this.store.get<RunSummary>("run", { run_id }));
    } catch (error) {
      if ((error as StoreError).isDisconnected) throw error;
      this.live.delete(run_id); // it was deleted
    }
  }
}
