/** Whose texts a dataset holds: one row a source, its share of the tokens as a bar. */
import { fill, h, setText, show } from "../dom";
import { count, short } from "../text";
import { bar, percent } from "./bar";
import type { DatasetFacts, SourceRow } from "./types";

const COLUMNS = ["Source", "Licence", "Read", "Dropped", "Kept", "Tokens", "Share of tokens"];

export class Sources {
  private readonly body = h("tbody");
  private readonly rest = h("p", { class: "raylm-help", hidden: true });
  private readonly earlier = h("p", { class: "raylm-help", hidden: true });
  readonly element = h(
    "section",
    { class: "raylm-card" },
    h("header", {}, h("h3", {}, "Sources")),
    h(
      "div",
      {
        class: "raylm-table raylm-data-table raylm-sources",
        tabindex: 0,
        role: "region",
        "aria-label": "Sources",
      },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...COLUMNS.map((title) => h("th", { scope: "col" }, title)))),
        this.body,
      ),
    ),
    this.rest,
    this.earlier,
  );

  update({ sources, num_sources, earlier }: DatasetFacts): void {
    fill(this.body, sources.map(row));
    const others = num_sources - sources.length;
    show(this.rest, others > 0);
    setText(this.rest, `The largest of ${count(num_sources)} sources; the report has the others.`);
    show(this.earlier, earlier.length > 0);
    const before = earlier.map(({ name, licence }) => `${name} (${licence})`).join(", ");
    setText(this.earlier, `Learned from before, by the checkpoint that the run began with: ${before}`);
  }
}

function row(source: SourceRow): HTMLElement {
  const about = [source.origin, source.retrieved && `retrieved ${source.retrieved}`].filter(Boolean);
  return h(
    "tr",
    {},
    h("th", { scope: "row", title: [source.name, ...about].join("\n") }, source.name),
    h("td", { class: "raylm-words" }, source.licence),
    h("td", {}, count(source.read)),
    h("td", {}, count(source.removed)),
    h("td", {}, count(source.documents)),
    h("td", { title: count(source.tokens) }, short(source.tokens)),
    h(
      "td",
      {},
      h("div", { class: "raylm-share-cell" }, bar(source.share), h("span", {}, percent(source.share))),
    ),
  );
}
