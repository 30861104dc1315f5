/** The sidebar: the cluster, and the newest runs as cards, or those that a search finds. */
import { fill, h, setText, show } from "../dom";
import { icon } from "../icons";
import { disconnected, empty, loading } from "../notice";
import type { Store, StoreError } from "../store";
import type { RunSummary } from "../types";
import { RunCard } from "./card";
import { ClusterCard } from "./cluster_card";
import type { RunWatch } from "./watch";

const SHOWN = 50;
const PAUSE_MS = 250; // after the last key, before a search is asked

export interface SidebarContext {
  store: Store;
  watch: RunWatch;
  open(runId: string): void;
  newRun(): void;
  openCluster(): void;
}

/** Fills the element; returns the function that takes the sidebar down. */
export function sidebar(root: HTMLElement, context: SidebarContext): () => void {
  const side = new Sidebar(root, context);
  return () => side.close();
}

class Sidebar {
  private readonly search = h("input", {
    type: "search",
    placeholder: "Find a run",
    "aria-label": "Find a run",
    oninput: () => this.typed(),
  });
  private readonly notice = h("div", {}, loading("Reading the runs …"));
  private readonly list = h("ul", { class: "raylm-cards", "aria-label": "Runs" });
  private readonly line = h("p", { class: "raylm-muted", role: "status" });
  private readonly cards = new Map<string, RunCard>();
  private readonly cluster: ClusterCard;
  private readonly endListening: () => void;
  private pause: number | undefined;
  private asked = 0;

  constructor(
    root: HTMLElement,
    private readonly context: SidebarContext,
  ) {
    this.cluster = new ClusterCard(context.store, () => context.openCluster());
    const newRun = h(
      "button",
      { type: "button", class: "raylm-button raylm-primary", onclick: () => context.newRun() },
      icon("add"),
      "New run",
    );
    fill(root, [
      h(
        "div",
        { class: "raylm-sidebar" },
        this.cluster.element,
        newRun,
        this.search,
        this.line,
        this.notice,
        this.list,
      ),
    ]);
    this.endListening = context.watch.listen({ onRuns: () => void this.refresh() });
  }

  close(): void {
    window.clearTimeout(this.pause);
    this.endListening();
    this.cluster.close();
  }

  private typed(): void {
    window.clearTimeout(this.pause);
    this.pause = window.setTimeout(() => void this.refresh(), PAUSE_MS);
  }

  private async refresh(): Promise<void> {
    const { store, watch } = this.context;
    const search = this.search.value.trim();
    const number = (this.asked += 1);
    try {
      if (watch.error) throw watch.error;
      const runs = search ? await store.list<RunSummary>("runs", { search, limit: SHOWN }) : watch.runs;
      if (number === this.asked) this.draw(runs, search); // else a later question is on its way
    } catch (error) {
      setText(this.line, ""); // how many are live is not known now
      this.tell(disconnected(error as StoreError, () => watch.wake()));
    }
  }

  private draw(runs: RunSummary[], search: string): void {
    const order = runs.map(({ run_id }) => run_id);
    if (order.join() !== [...this.cards.keys()].join()) this.arrange(runs);
    for (const run of runs) this.cards.get(run.run_id)?.update(run);
    const { numLive } = this.context.watch;
    setText(this.line, numLive === 1 ? "1 run is live" : `${numLive} runs are live`);
    this.tell(runs.length > 0 ? null : search ? none(search) : first());
  }

  /** Only where the order changes: a card put in again would lose the keyboard's focus. */
  private arrange(runs: RunSummary[]): void {
    const before = new Map(this.cards);
    this.cards.clear();
    const actions = {
      store: this.context.store,
      open: (runId: string) => this.context.open(runId),
      changed: () => this.context.watch.wake(),
    };
    for (const run of runs) this.cards.set(run.run_id, before.get(run.run_id) ?? new RunCard(run, actions));
    fill(
      this.list,
      [...this.cards.values()].map(({ element }) => element),
    );
  }

  private tell(notice: HTMLElement | null): void {
    if (notice === null) fill(this.notice, []);
    else if (this.notice.textContent !== notice.textContent) fill(this.notice, [notice]);
    show(this.list, this.cards.size > 0);
  }
}

function first(): HTMLElement {
  return empty("No run yet", "Start one with New run: it appears here.");
}

function none(search: string): HTMLElement {
  return empty("No such run", `No id and no name has ${search} in it.`);
}
