/** The list of runs: one option a run, with its state in icon and word. */
import { fill, h, setAttribute, setText, show, uniqueId } from "../dom";
import { icon } from "../icons";
import { placeByKey } from "../listbox";
import { ago } from "../text";
import type { RunSummary } from "../types";

const PAUSE_MS = 250; // after the last key, before the store is asked

/** Asks for the runs, listed or not, whose id and name have these words in them. */
export type Find = (search: string) => Promise<RunSummary[]>;

/** How runs are ticked, beside one being chosen. */
export interface Ticking {
  isTicked(runId: string): boolean;
  toggle(runId: string): void;
  /** What a tick means, and how the keyboard sets it. */
  hint: string;
}

export class RunPicker {
  private readonly list = h("div", {
    class: "raylm-runs",
    role: "listbox",
    tabindex: 0,
    "aria-label": "Runs",
  });
  private readonly filter = h("input", {
    type: "search",
    placeholder: "Filter runs",
    "aria-label": "Filter runs",
  });
  private readonly none = h("p", { class: "raylm-muted", role: "status", hidden: true });
  readonly element: HTMLElement;
  private runs: RunSummary[] = [];
  private found: RunSummary[] = [];
  /** What the runs found were asked for; nothing while that is not answered. */
  private answered = "";
  private pause: number | undefined;
  private readonly ids = new Map<string, string>();

  constructor(
    private chosen: string | null,
    private readonly find: Find,
    private readonly onChoose: (runId: string) => void,
    private readonly ticking: Ticking | null = null,
  ) {
    const hint = ticking && h("p", { class: "raylm-hint", id: uniqueId("hint") }, ticking.hint);
    if (hint) setAttribute(this.list, "aria-describedby", hint.id);
    this.element = h("aside", { class: "raylm-side" }, this.filter, hint, this.none, this.list);
    this.filter.addEventListener("input", () => this.typed());
    this.list.addEventListener("keydown", (event) => this.move(event));
  }

  /** True where what the list shows has changed. */
  update(runs: RunSummary[], chosen: string | null): boolean {
    const isChanged = JSON.stringify([runs, chosen]) !== JSON.stringify([this.runs, this.chosen]);
    this.runs = runs;
    this.chosen = chosen;
    this.draw(); // "2 min ago" moves on its own
    if (this.answered) void this.search(); // so do runs that are not listed
    return isChanged;
  }

  close(): void {
    window.clearTimeout(this.pause);
  }

  private get wanted(): string {
    return this.filter.value.trim().toLowerCase();
  }

  /** What is listed is filtered at once; the older runs are asked for when the typing pauses. */
  private typed(): void {
    this.answered = "";
    if (this.wanted === "") this.found = [];
    this.draw();
    window.clearTimeout(this.pause);
    this.pause = window.setTimeout(() => void this.search(), PAUSE_MS);
  }

  private async search(): Promise<void> {
    const { wanted } = this;
    if (wanted === "") return;
    try {
      const found = await this.find(wanted);
      if (wanted !== this.wanted) return; // a later question is on its way
      this.found = found;
      this.answered = wanted;
      this.draw();
    } catch {
      // The screen's next question tells why; what is listed stays filtered.
    }
  }

  private shown(): RunSummary[] {
    const words = this.wanted.split(/\s+/);
    const has = (run: RunSummary): boolean => {
      const text = `${run.run_id} ${run.name} ${run.status}`.toLowerCase();
      return words.every((word) => text.includes(word));
    };
    const isListed = new Set(this.runs.map(({ run_id }) => run_id));
    const older = this.found.filter(({ run_id }) => !isListed.has(run_id));
    return [...this.runs.filter(has), ...(this.answered ? older : older.filter(has))];
  }

  private draw(): void {
    const runs = this.shown();
    fill(
      this.list,
      runs.map((run) => this.option(run)),
    );
    const isShown = runs.some(({ run_id }) => run_id === this.chosen);
    setAttribute(this.list, "aria-activedescendant", isShown ? this.idOf(this.chosen as string) : null);
    const isNone = runs.length === 0 && this.answered !== "";
    setText(this.none, isNone ? `No run matches ${this.filter.value.trim()}.` : "");
    show(this.none, isNone);
    show(this.list, !isNone);
  }

  private option(run: RunSummary): HTMLElement {
    const isChosen = run.run_id === this.chosen;
    return h(
      "div",
      {
        role: "option",
        id: this.idOf(run.run_id),
        class: `raylm-run raylm-state-${run.status}`,
        "aria-selected": isChosen ? "true" : "false",
        "aria-checked": this.ticking && (this.ticking.isTicked(run.run_id) ? "true" : "false"),
        title: run.run_id,
        onclick: () => this.onChoose(run.run_id),
      },
      this.ticking && this.tick(run, this.ticking),
      h("span", { class: "raylm-run-name" }, run.name),
      h("span", { class: "raylm-badge" }, icon(run.status), run.status),
      h(
        "span",
        { class: "raylm-run-when" },
        [progress(run), run.created === null ? "" : ago(run.created)].filter(Boolean).join(" · "),
      ),
    );
  }

  /** The box that is seen and clicked; the option itself says whether it is ticked. */
  private tick(run: RunSummary, ticking: Ticking): HTMLElement {
    const onclick = (event: Event): void => {
      event.stopPropagation();
      ticking.toggle(run.run_id);
    };
    const isTicked = ticking.isTicked(run.run_id);
    return h("span", { class: "raylm-tick", "aria-hidden": "true", onclick }, isTicked && icon("good"));
  }

  private move(event: KeyboardEvent): void {
    if (event.key === " " && this.ticking && this.chosen !== null) {
      event.preventDefault();
      event.stopPropagation();
      this.ticking.toggle(this.chosen);
      return;
    }
    const runs = this.shown();
    const index = runs.findIndex(({ run_id }) => run_id === this.chosen);
    const place = placeByKey(event, index, runs.length);
    if (place === null) return;
    const run = runs[place];
    if (run) this.onChoose(run.run_id);
    this.list.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }

  private idOf(runId: string): string {
    const id = this.ids.get(runId) ?? uniqueId("run");
    this.ids.set(runId, id);
    return id;
  }
}

function progress({ status, step, max_steps }: RunSummary): string {
  if (step === null || !max_steps || status === "finished") return "";
  return `${Math.floor((step / max_steps) * 100)} %`;
}
