/** The recipe as a form: sections at the left, the chosen one's fields at the right. */
import { fill, h, setAttribute, show } from "../dom";
import { icon } from "../icons";
import type { Problem, Schema, Values } from "../types";
import type { OnChange } from "./control";
import { SectionView, type Filter } from "./section";

interface Entry {
  view: SectionView;
  link: HTMLAnchorElement;
  mark: HTMLElement;
  isMatching: boolean;
}

export class Form {
  readonly element: HTMLElement;
  private readonly entries: Entry[];
  private readonly empty = h("p", { class: "raylm-quiet", hidden: true }, "No field matches the search.");
  private chosen = 0;
  private filter: Filter = { search: "", is_advanced: false };

  constructor(schema: Schema, values: Values, onChange: OnChange) {
    this.entries = schema.sections.map((section, index) => {
      const mark = h("span", { class: "raylm-nav-mark" });
      const link = h("a", { href: "#", onclick: (event) => this.follow(event, index) }, section.title, mark);
      return { view: new SectionView(section, values, onChange), link, mark, isMatching: true };
    });
    this.element = h(
      "div",
      { class: "raylm-form" },
      h(
        "nav",
        { class: "raylm-nav", "aria-label": "Recipe sections" },
        ...this.entries.map(({ link }) => link),
      ),
      h("div", { class: "raylm-sections" }, ...this.entries.map(({ view }) => view.element), this.empty),
    );
    this.narrow(this.filter);
  }

  /** While a search is on, every matching field is shown, whatever its section. */
  narrow(filter: Filter): void {
    this.filter = filter;
    for (const entry of this.entries) entry.isMatching = entry.view.narrow(filter);
    this.update();
  }

  /** Show problems under their fields; returns those that no field of the form owns. */
  complain(problems: Problem[]): Problem[] {
    const owned = new Set<Problem>();
    for (const { view, mark, link } of this.entries) {
      const mine = view.complain(problems);
      mine.forEach((problem) => owned.add(problem));
      fill(mark, mine.length > 0 ? [icon("problem"), String(mine.length)] : []);
      setAttribute(link, "data-problems", mine.length || null);
      setAttribute(
        link,
        "aria-label",
        mine.length > 0 ? `${view.section.title}, ${mine.length} to mend` : null,
      );
    }
    return problems.filter((problem) => !owned.has(problem));
  }

  private follow(event: Event, index: number): void {
    event.preventDefault(); // a place in this form, not an address
    event.stopPropagation();
    this.chosen = index;
    this.update();
  }

  private update(): void {
    const isSearching = this.filter.search !== "";
    this.entries.forEach(({ view, link, isMatching }, index) => {
      const isChosen = index === this.chosen;
      show(view.element, isSearching ? isMatching : isChosen);
      setAttribute(link, "aria-current", !isSearching && isChosen ? "true" : null);
      link.classList.toggle("raylm-nav-dim", !isMatching);
    });
    show(this.empty, isSearching && !this.entries.some(({ isMatching }) => isMatching));
  }
}
