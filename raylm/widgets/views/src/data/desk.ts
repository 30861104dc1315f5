/** One dataset, or the data of one run: what is in it, how it came about, its tokenizer at work. */
import { fill, h, setAttribute, setText, show } from "../dom";
import { icon } from "../icons";
import { empty, loading } from "../notice";
import type { Store, StoreError } from "../store";
import { ago, bytes, count, duration, short } from "../text";
import { Filters } from "./filters";
import { Lengths } from "./lengths";
import { namesOf } from "./picker";
import { Samples } from "./samples";
import { Sources } from "./sources";
import { Tokens } from "./tokens";
import type { DatasetFacts, Key } from "./types";

const NAMED = 3; // sources in the title

export class DatasetDesk {
  private readonly title = h("h2", { class: "raylm-run-title" });
  private readonly about = h("div", { class: "raylm-data-about" });
  private readonly stale = h("span", { class: "raylm-stale", hidden: true });
  private readonly stats = h("dl", { class: "raylm-stats", "aria-label": "Measures" });
  private readonly sources = new Sources();
  private readonly filters = new Filters();
  private readonly lengths = new Lengths();
  private readonly samples = new Samples();
  private readonly tokens: Tokens;
  private readonly notes = h("ul", { class: "raylm-notes" });
  private readonly notice = h("div");
  private readonly body: HTMLElement;
  readonly element: HTMLElement;
  private wanted = "";
  private shown = "";
  private answered = Date.now();

  constructor(private readonly store: Store) {
    this.tokens = new Tokens(store);
    this.body = h(
      "div",
      { class: "raylm-detail", hidden: true },
      h("header", { class: "raylm-head" }, this.title, this.about),
      this.stats,
      this.notes,
      this.sources.element,
      h("div", { class: "raylm-pair" }, this.filters.element, this.lengths.element),
      this.tokens.element,
      this.samples.element,
    );
    this.element = h("div", { class: "raylm-dataset" }, this.notice, this.body);
  }

  /**
   * Show what the key names; `version` changes whenever it is made anew. Answers its id in the list, null for
   * one that is not in it, and undefined where nothing is new.
   */
  async open(key: Key, version: string): Promise<string | null | undefined> {
    const wanted = JSON.stringify([key, version]);
    this.answered = Date.now(); // the list was read just now
    if (wanted === this.shown) return undefined;
    if (wanted !== this.wanted) this.tell(loading("Reading the dataset …"));
    this.wanted = wanted;
    try {
      const facts = await this.store.get<DatasetFacts>("dataset", { ...key });
      if (wanted !== this.wanted) return undefined; // another was chosen meanwhile
      this.draw(key, facts);
      this.shown = wanted;
      return facts.dataset_id;
    } catch (error) {
      const { isDisconnected, message, mend } = error as StoreError;
      if (isDisconnected) throw error;
      if (wanted === this.wanted) this.tell(empty(message, mend, "problem"));
      return "run_id" in key ? null : undefined;
    }
  }

  /** Say how old the answer is while the store does not answer; called once a second. */
  age(cause: string): void {
    show(this.stale, cause !== "");
    setText(this.stale, `${cause} as of ${duration((Date.now() - this.answered) / 1000)} ago`);
  }

  close(): void {
    this.tokens.close();
  }

  private tell(notice: HTMLElement | null): void {
    if (this.notice.textContent !== (notice?.textContent ?? "")) fill(this.notice, [notice]);
    show(this.body, notice === null);
  }

  private draw(key: Key, facts: DatasetFacts): void {
    const names = facts.sources.slice(0, NAMED).map(({ name }) => name);
    setText(this.title, namesOf(names, facts.num_sources));
    setAttribute(this.title, "title", facts.uri || null);
    fill(this.about, [...aboutOf(facts), this.stale]);
    fill(this.stats, statsOf(facts));
    fill(
      this.notes,
      facts.notes.map((note) => h("li", {}, icon("problem"), h("span", {}, note))),
    );
    show(this.notes, facts.notes.length > 0);
    this.sources.update(facts);
    this.filters.update(facts);
    this.lengths.update(facts.lengths);
    this.tokens.open(key, facts);
    show(this.samples.element, facts.is_whole);
    if (facts.is_whole) void this.samples.open(key, this.store);
    this.tell(null);
  }
}

function aboutOf(facts: DatasetFacts): HTMLElement[] {
  const { run_id, is_whole, prepared, digest, runs } = facts;
  const parts = [
    run_id && h("span", {}, "data of ", h("b", {}, run_id)),
    !is_whole &&
      h(
        "span",
        { class: "raylm-badge raylm-state-lost" },
        icon("lost"),
        "its files are not reached from here; this is what the run's ledger says",
      ),
    prepared !== null && h("span", {}, `prepared ${ago(prepared)}`),
    h("span", { title: digest }, `digest ${digest.slice(0, 12)}`),
    runs.length > 0 && h("span", { title: runs.join("\n") }, usedBy(runs)),
  ];
  return parts.filter((part) => part instanceof HTMLElement);
}

function usedBy(runs: string[]): string {
  return runs.length === 1 ? `used by ${runs[0]}` : `used by ${count(runs.length)} runs, last ${runs[0]}`;
}

function statsOf(facts: DatasetFacts): HTMLElement[] {
  const size = facts.splits.reduce((sum, split) => sum + split.bytes, 0);
  const splits = facts.splits.map(({ name, tokens }) => `${count(tokens)} ${name}`).join(", ");
  const stats: [string, string | null, string][] = [
    ["tokens", short(facts.tokens), splits],
    ["documents", short(facts.documents), count(facts.documents)],
    ["text", size > 0 ? bytes(size) : null, ""],
    ["exact duplicates", maybe(facts.duplicates.exact), "documents dropped"],
    ["near duplicates", maybe(facts.duplicates.near), "documents dropped"],
    ["evaluation texts", maybe(facts.contaminated), "documents dropped that held lines of evaluation sets"],
  ];
  return stats
    .filter(([, value]) => value !== null)
    .map(([name, value, title]) => h("div", { title: title || null }, h("dt", {}, name), h("dd", {}, value)));
}

/** A count of something that no filter looked for is unknown, not 0. */
function maybe(number: number | null): string {
  return number === null ? "not looked for" : `${count(number)} dropped`;
}
