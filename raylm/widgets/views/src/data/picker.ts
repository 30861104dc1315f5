/** The list of prepared datasets, newest first: what they are made of, how large they are, how old. */
import { fill, h, setAttribute, setText, show, uniqueId } from "../dom";
import { icon } from "../icons";
import { placeByKey } from "../listbox";
import { ago, count, short } from "../text";
import type { DatasetPage, DatasetRow } from "./types";

export class DatasetPicker {
  private readonly list = h("div", {
    class: "raylm-runs",
    role: "listbox",
    tabindex: 0,
    "aria-label": "Datasets",
  });
  private readonly filter = h("input", {
    type: "search",
    placeholder: "Filter datasets",
    "aria-label": "Filter datasets",
  });
  private readonly rest = h("p", { class: "raylm-help", hidden: true });
  readonly element = h("aside", { class: "raylm-side" }, this.filter, this.list, this.rest);
  private rows: DatasetRow[] = [];
  private chosen: string | null = null;
  private readonly ids = new Map<string, string>();

  constructor(private readonly onChoose: (datasetId: string) => void) {
    this.filter.addEventListener("input", () => this.draw());
    this.list.addEventListener("keydown", (event) => this.move(event));
  }

  /** True where the list has changed. */
  update({ rows, count: all }: DatasetPage): boolean {
    const isChanged = JSON.stringify(rows) !== JSON.stringify(this.rows);
    this.rows = rows;
    show(this.rest, all > rows.length);
    setText(this.rest, `The newest of ${count(all)}; older ones are shown with the runs that use them.`);
    this.draw();
    return isChanged;
  }

  choose(datasetId: string | null): void {
    this.chosen = datasetId;
    this.draw();
  }

  private shown(): DatasetRow[] {
    const words = this.filter.value.toLowerCase().split(/\s+/);
    return this.rows.filter((row) => {
      const about = `${row.sources.join(" ")} ${row.tokenizer ?? ""} ${row.dataset_id}`.toLowerCase();
      return words.every((word) => about.includes(word));
    });
  }

  private draw(): void {
    fill(
      this.list,
      this.shown().map((row) => this.option(row)),
    );
    setAttribute(this.list, "aria-activedescendant", this.chosen === null ? null : this.idOf(this.chosen));
  }

  private option(row: DatasetRow): HTMLElement {
    return h(
      "div",
      {
        role: "option",
        id: this.idOf(row.dataset_id),
        class: "raylm-run",
        "aria-selected": row.dataset_id === this.chosen ? "true" : "false",
        title: row.dataset_id,
        onclick: () => this.onChoose(row.dataset_id),
      },
      h("span", { class: "raylm-run-name" }, titleOf(row)),
      row.problem
        ? h("span", { class: "raylm-badge raylm-state-failed" }, icon("bad"), "damaged")
        : h("span", { class: "raylm-muted" }, `${short(row.tokens ?? 0)} tokens`),
      h("span", { class: "raylm-run-when" }, row.prepared === null ? "" : ago(row.prepared)),
    );
  }

  private move(event: KeyboardEvent): void {
    const rows = this.shown();
    const index = rows.findIndex(({ dataset_id }) => dataset_id === this.chosen);
    const place = placeByKey(event, index, rows.length);
    if (place === null) return;
    const row = rows[place];
    if (row) this.onChoose(row.dataset_id);
    this.list.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }

  private idOf(datasetId: string): string {
    const id = this.ids.get(datasetId) ?? uniqueId("dataset");
    this.ids.set(datasetId, id);
    return id;
  }
}

function titleOf({ sources, num_sources, dataset_id }: DatasetRow): string {
  if (sources.length === 0) return dataset_id.slice(0, 12);
  return namesOf(sources, num_sources);
}

/** "books, mail and 3 more" */
export function namesOf(names: string[], numAll: number): string {
  const others = numAll - names.length;
  return names.join(", ") + (others > 0 ? ` and ${count(others)} more` : "");
}
