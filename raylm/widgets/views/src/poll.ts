/** Asks again and again, as often as it is worth it: rules in docs of the cockpit. */

const RUNNING_MS = 500;
const IDLE_MS = 2_000;
const SLOWEST_MS = 60_000;
const FASTEST_MS = 100;
const GROWTH = 1.5;

/** How often to ask; read before each pause, so that a change acts at once. */
export interface Pace {
  /** Milliseconds between two questions while something runs; 100 at least. */
  readonly runningMs: number;
}

/** What one round of asking found: more that waits to be read, something running, something new, or nothing. */
export type Found = "behind" | "running" | "changed" | "quiet";

/**
 * Runs `ask` at the pace, by default every 0.5 s, while a visible run is running and every 2 s otherwise,
 * growing to 60 s while nothing changes; pauses while the element or the page is hidden. A person's touch asks at once.
 */
export class Poller {
  private timer: number | undefined;
  private delay = IDLE_MS;
  private isAsking = false;
  private isWoken = false;
  private isOnScreen = false; // the observer says so as soon as it is
  private isClosed = false;
  private chosenMs = 0;
  private readonly observer: IntersectionObserver;

  constructor(
    root: HTMLElement,
    private readonly ask: () => Promise<Found>,
    private readonly pace: Pace = { runningMs: RUNNING_MS },
  ) {
    this.observer = new IntersectionObserver((entries) => {
      this.isOnScreen = entries.at(-1)?.isIntersecting ?? true;
      if (this.isOnScreen) this.wake();
    });
    this.observer.observe(root);
    document.addEventListener("visibilitychange", this.wake);
    root.addEventListener("pointerenter", this.wake);
    root.addEventListener("focusin", this.wake);
  }

  /** Ask now, and start again at the quick pace. */
  readonly wake = (): void => {
    this.delay = IDLE_MS;
    this.isWoken = this.isAsking; // what is being asked may be old news already
    void this.round();
  };

  /** How often to ask while a run is running, whatever is set; 0: as it is set. */
  choosePace(runningMs: number): void {
    this.chosenMs = runningMs;
    this.wake();
  }

  close(): void {
    this.isClosed = true;
    window.clearTimeout(this.timer);
    this.observer.disconnect();
    document.removeEventListener("visibilitychange", this.wake);
  }

  private async round(): Promise<void> {
    window.clearTimeout(this.timer);
    if (this.isAsking || this.isClosed || document.hidden || !this.isOnScreen) return;
    this.isAsking = true;
    try {
      this.delay = this.next(await this.ask());
    } finally {
      this.isAsking = false;
    }
    const pause = this.isWoken ? FASTEST_MS : this.delay;
    this.isWoken = false;
    if (!this.isClosed) this.timer = window.setTimeout(() => void this.round(), pause);
  }

  private next(found: Found): number {
    if (found === "behind") return FASTEST_MS;
    if (found === "running") return Math.max(FASTEST_MS, this.chosenMs || this.pace.runningMs);
    return found === "changed" ? IDLE_MS : Math.min(SLOWEST_MS, Math.max(IDLE_MS, this.delay * GROWTH));
  }
}
