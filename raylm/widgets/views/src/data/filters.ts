/** What each filter let through, dropped and changed, with a few of the texts it did it to. */
import { fill, h, setText, show } from "../dom";
import { count, words } from "../text";
import { bar, percent } from "./bar";
import type { DatasetFacts, FilterFacts, Ranked } from "./types";
import { visible } from "./visible";

export class Filters {
  private readonly body = h("div");
  private readonly report = h("p", { class: "raylm-help raylm-path", hidden: true });
  readonly element = h(
    "section",
    { class: "raylm-card", "aria-label": "Filters" },
    h("header", {}, h("h3", {}, "Filters")),
    this.body,
    this.report,
  );

  update({ filters, report }: DatasetFacts): void {
    show(this.report, report !== "");
    setText(this.report, `The whole report, a page for a browser: ${report}`);
    const none = h("p", { class: "raylm-muted" }, "The recipe names none: every document was kept.");
    const list = h("ol", { class: "raylm-filters" }, ...filters.map(step));
    fill(this.body, [filters.length > 0 ? list : none]);
  }
}

function step(filter: FilterFacts): HTMLElement {
  const { documents, kept } = filter;
  const share = documents === null || kept === null ? null : kept / Math.max(1, documents);
  const flow =
    share === null ? "" : `${count(documents ?? 0)} in, ${count(kept ?? 0)} kept (${percent(share)})`;
  return h(
    "li",
    {},
    h(
      "div",
      { class: "raylm-filter-head" },
      h("h4", {}, words(filter.kind)),
      h("span", { class: "raylm-flow" }, flow),
    ),
    share === null ? null : bar(share),
    told("dropped", filter.dropped),
    told("changed", filter.changed),
    told("found", filter.found),
    filter.examples.length > 0 ? examples(filter) : null,
  );
}

function told(what: string, { most, total, num_others }: Ranked): HTMLElement | null {
  if (total === 0) return null;
  const parts = most.map(({ name, count: number }) => `${count(number)} ${words(name)}`);
  const others = num_others > 0 ? `, ${count(num_others)} more` : "";
  return h("p", {}, h("b", {}, `${count(total)} ${what}: `), parts.join(", ") + others);
}

function examples({ kind, examples: given }: FilterFacts): HTMLElement {
  return h(
    "details",
    {},
    h("summary", {}, "Examples", h("span", { class: "raylm-unseen" }, ` of ${words(kind)}`)),
    ...given.map(({ action, reason, excerpt, source }) =>
      h(
        "figure",
        {},
        h("figcaption", {}, `${action} as ${words(reason)}, from ${source}`),
        h("blockquote", {}, ...visible(excerpt.trim())),
      ),
    ),
  );
}
