/** The list of runs: one option a run, with its state in icon and word. */
import { fill, h, setAttribute, uniqueId } from "../dom";
import { icon } from "../icons";
import { placeByKey } from "../listbox";
import { ago } from "../text";
import type { RunSummary } from "../types";

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
  readonly element: HTMLElement;
  private runs: RunSummary[] = [];
  private readonly ids = new Map<string, string>();

  constructor(
    private chosen: string | null,
    private readonly onChoose: (runId: string) => void,
    private readonly ticking: Ticking | null = null,
  ) {
    const hint = ticking && h("p", { class: "raylm-hint", id: uniqueId("hint") }, ticking.hint);
    if (hint) setAttribute(this.list, "aria-describedby", hint.id);
    this.element = h("aside", { class: "raylm-side" }, this.filter, hint, this.list);
    this.filter.addEventListener("input", () => this.draw());
    this.list.addEventListener("keydown", (event) => this.move(event));
  }

  /** True where what the list shows has changed. */
  update(runs: RunSummary[], chosen: string | null): boolean {
    const isChanged = JSON.stringify([runs, chosen]) !== JSON.stringify([this.runs, this.chosen]);
    this.runs = runs;
    this.chosen = chosen;
    this.draw(); // "2 min ago" moves on its own
    return isChanged;
  }

  private shown(): RunSummary[] {
    const wanted = this.filter.value.toLowerCase();
    return this.runs.filter((run) => `${run.run_id} ${run.status}`.toLowerCase().includes(wanted));
  }

  private draw(): void {
    const runs = this.shown();
    fill(this.list, runs.length > 0 ? runs.map((run) => this.option(run)) : []);
    setAttribute(this.list, "aria-activedescendant", this.chosen === null ? null : this.idOf(this.chosen));
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
