/** One section of the recipe: its kind, if it has kinds, and its fields in groups. */
import { fill, h, show, uniqueId } from "../dom";
import type { Field, Problem, Section, Values } from "../types";
import { makeControl, messagePlace, tellProblem, type Control, type OnChange } from "./control";
import { makeList } from "./list";
import { getAt, setAt } from "./values";

export interface Filter {
  search: string;
  is_advanced: boolean;
}

const NONE = ""; // of a section that a recipe may leave out

/** The fields of one section over the draft's values; `onChange` hears of each change a person makes. */
export class SectionView {
  readonly element: HTMLElement;
  private controls: Control[] = [];
  private readonly message = messagePlace();
  private readonly groups = h("div", { class: "raylm-groups" });
  private readonly kinds: HTMLSelectElement | null;
  private filter: Filter = { search: "", is_advanced: false };
  private problems: Problem[] = [];

  constructor(
    readonly section: Section,
    private readonly values: Values,
    private readonly onChange: OnChange,
  ) {
    this.kinds = section.kinds && !section.many ? this.makeKinds(Object.keys(section.kinds)) : null;
    if (this.kinds && !section.optional && getAt(values, `${section.name}.kind`) === undefined)
      setAt(values, `${section.name}.kind`, section.default); // the kind that is shown is the kind that is meant
    const title = uniqueId("section");
    this.element = h(
      "section",
      { class: "raylm-section", "aria-labelledby": title },
      h("h3", { id: title }, section.title),
      section.help ? h("p", { class: "raylm-section-help" }, section.help) : null,
      this.message,
      this.kinds?.parentElement,
      this.groups,
    );
    this.rebuild();
  }

  /** Show only the fields that match; true where any does. */
  narrow(filter: Filter): boolean {
    this.filter = filter;
    let numShown = 0;
    for (const control of this.controls) {
      const isShown = this.isWanted(control);
      show(control.row, isShown);
      numShown += Number(isShown);
    }
    for (const group of this.groups.children)
      show(
        group as HTMLElement,
        [...group.querySelectorAll<HTMLElement>(".raylm-field")].some(({ hidden }) => !hidden),
      );
    return numShown > 0 || (filter.search === "" && this.kinds !== null);
  }

  /** Show each problem under its field; returns those that belong to this section. */
  complain(problems: Problem[]): Problem[] {
    this.problems = problems.filter(({ field }) => this.owns(field));
    const isAbout = (problem: Problem, control: Control): boolean =>
      isWithin(problem.field, control.field.name);
    for (const control of this.controls)
      control.complain(this.problems.filter((problem) => isAbout(problem, control)));
    tellProblem(
      this.message,
      this.problems.find((problem) => !this.controls.some((control) => isAbout(problem, control))),
    );
    this.narrow(this.filter); // a field with a problem is shown, advanced or not
    return this.problems;
  }

  private owns(name: string): boolean {
    const { section } = this;
    return (
      (section.name !== "" && isWithin(name, section.name)) ||
      this.controls.some(({ field }) => isWithin(name, field.name))
    );
  }

  private makeKinds(kinds: string[]): HTMLSelectElement {
    const select = h(
      "select",
      { id: uniqueId("kind") },
      this.section.optional ? h("option", { value: NONE }, "none") : null,
      ...kinds.map((kind) => h("option", { value: kind }, kind)),
    );
    h("div", { class: "raylm-kind" }, h("label", { for: select.id }, `${this.section.title} kind`), select);
    select.addEventListener("change", () => {
      const old = (getAt(this.values, this.section.name) ?? {}) as Values;
      const fields = this.section.kinds?.[select.value]?.fields ?? [];
      const kind = select.value;
      const chosen = kind === NONE ? undefined : { kind, ...shared(old, fields) };
      setAt(this.values, this.section.name, chosen);
      this.rebuild();
      this.onChange(asField(this.section, this.section.name), chosen, null); // all of it has changed
    });
    return select;
  }

  private rebuild(): void {
    const fields = this.fields();
    this.controls = fields.map((field) =>
      field.kinds
        ? makeList(field, this.values, this.onChange)
        : makeControl(field, this.onChange, getAt(this.values, field.name) ?? field.default),
    );
    fill(this.groups, grouped(this.controls, this.section.title));
    this.narrow(this.filter);
  }

  private fields(): Field[] {
    const { kinds, fields, many, name } = this.section;
    if (many) return [asField(this.section, name)];
    if (!kinds || !this.kinds) return fields ?? [];
    this.kinds.value = String(getAt(this.values, `${name}.kind`) ?? this.section.default ?? NONE);
    return kinds[this.kinds.value]?.fields ?? [];
  }

  private isWanted({ field }: Control): boolean {
    if (this.problems.some((problem) => isWithin(problem.field, field.name))) return true;
    if (this.filter.search) return matches(field, this.filter.search);
    return !field.advanced || this.filter.is_advanced;
  }
}

/** The section itself, a list of kinds or one whose kind can be chosen, as a field of the form. */
function asField(section: Section, name: string): Field {
  const { title, help, kinds } = section;
  return {
    name,
    title,
    help,
    kinds,
    type: "list",
    default: [],
    required: false,
    unit: "",
    group: title,
    advanced: false,
  };
}

/** What two kinds have in common is kept when a person changes the kind. */
function shared(old: Values, fields: Field[]): Values {
  const names = new Set(fields.map(({ name }) => name.split(".").at(-1)));
  return Object.fromEntries(Object.entries(old).filter(([name]) => name !== "kind" && names.has(name)));
}

/** Fields under their groups' headings; the group named like the section needs none. */
function grouped(controls: Control[], title: string): HTMLElement[] {
  const groups = new Map<string, HTMLElement[]>();
  for (const { field, row } of controls) groups.set(field.group, [...(groups.get(field.group) ?? []), row]);
  return [...groups].map(([name, rows]) =>
    h(
      "fieldset",
      { class: "raylm-group" },
      h("legend", { class: name === title ? "raylm-unseen" : null }, name),
      h("div", { class: "raylm-fields" }, ...rows),
    ),
  );
}

function matches(field: Field, search: string): boolean {
  const haystack = `${field.name} ${field.title} ${field.help} ${field.unit}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word));
}

/** "data.sources.0.path" is within "data.sources". */
export function isWithin(name: string, outer: string): boolean {
  return name === outer || name.startsWith(`${outer}.`) || name.startsWith(`${outer}[`);
}
