/** The screens and what they share, as modules and style sheets that the Jupyter server has: nothing is built twice. */
import type { Wishes } from "./wishes";

export interface Store {
  list<T>(what: string, args?: Record<string, unknown>): Promise<T[]>;
}

export interface Run {
  run_id: string;
  name: string;
  status: string;
  reason: string;
  step: number | null;
}

export interface Shared {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  observe(name: string, callback: () => void): () => void;
}

/** How often screens ask while something runs; read before each pause. */
export interface Pace {
  readonly runningMs: number;
}

/** Fills an element; returns the function that takes the screen down. */
export type Screen = (root: HTMLElement, context: { store: Store; shared: Shared; pace: Pace }) => () => void;

export interface RunWatch {
  readonly numLive: number;
  listen(listener: { onRuns?(runs: Run[], error: Error | null): void; onEnd?(run: Run): void }): () => void;
  wake(): void;
}

/** raylm/widgets/views/src/lab.ts, built. */
export interface LabModule {
  Store: new (request: unknown) => Store;
  RunWatch: new (store: Store) => RunWatch;
  restTransport(baseUrl: string, storage: () => string): unknown;
  sidebar(
    root: HTMLElement,
    context: {
      store: Store;
      watch: RunWatch;
      open(runId: string): void;
      newRun(): void;
      openCluster(): void;
    },
  ): () => void;
}

/** Tabs in the order of work; a screen that is not named here comes after these. */
const ORDER = ["cluster", "launch", "monitor", "checkpoints", "playground", "data"];

export class Views {
  constructor(
    readonly baseUrl: string,
    readonly wishes: Wishes,
  ) {}

  /** A store over the Jupyter server, which looks where the person's settings say. */
  async store(): Promise<Store> {
    const lab = await this.lab();
    return new lab.Store(lab.restTransport(this.baseUrl, () => this.wishes.storage));
  }

  /** What every part of the shell is made of; asked for once. */
  readonly lab = once(() => this.load("lab") as Promise<unknown> as Promise<LabModule>);

  /** The names of the screens that this raylm has. */
  readonly names = once(async () => {
    const response = await fetch(`${this.baseUrl}raylm/screens`, { credentials: "same-origin" });
    if (!response.ok) throw new Error(`The Jupyter server answered with status ${response.status}.`);
    const { result } = (await response.json()) as { result: string[] };
    const place = (name: string): number => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
    return result.sort((one, other) => place(one) - place(other) || one.localeCompare(other));
  });

  /** One screen, ready to fill an element. */
  async screen(name: string): Promise<Screen> {
    return (await this.load(name))[`${name}Screen`] as Screen;
  }

  private async load(name: string): Promise<Record<string, unknown>> {
    const address = `${this.baseUrl}raylm/static/${name}`;
    addStyle(`${address}.css`);
    return import(/* webpackIgnore: true */ `${address}.js`);
  }
}

/** A tab's title: "checkpoints" -> "Checkpoints". */
export function titleOf(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
}

function addStyle(address: string): void {
  if ([...document.styleSheets].some(({ href }) => href?.endsWith(address))) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = address;
  document.head.append(link);
}

/** Asks once for all callers; after a failure the next caller asks again. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | null = null;
  return () => {
    asked ??= ask();
    asked.catch(() => (asked = null));
    return asked;
  };
}
