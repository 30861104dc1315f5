/** A list of choices (data sources, trackers): one card an item, each of a kind with its own fields. */
import { fill, h } from "../dom";
import { icon } from "../icons";
import type { Field, Problem, Values } from "../types";
import { makeControl, messagePlace, tellProblem, type Control, type OnChange } from "./control";
import { getAt, setAt } from "./values";

export function makeList(field: Field, values: Values, onChange: OnChange): Control {
  const kinds = field.kinds ?? {};
  const items = h("div", { class: "raylm-items" });
  let controls: Control[] = [];

  const current = (): Values[] => (getAt(values, field.name) ?? []) as Values[];
  const replace = (list: Values[]): void => {
    setAt(values, field.name, list);
    rebuild();
    onChange(field, list, null);
  };
  const rebuild = (): void => {
    controls = [];
    fill(
      items,
      current().map((item, index) => card(item, index)),
    );
  };
  const card = (item: Values, index: number): HTMLElement => {
    const kind = String(item["kind"] ?? Object.keys(kinds)[0]);
    const own = (kinds[kind]?.fields ?? []).map((inner) => {
      const name = inner.name.replace("*", String(index));
      return makeControl({ ...inner, name }, onChange, getAt(values, name) ?? inner.default);
    });
    controls.push(...own);
    const title = `${kind} ${index + 1}`;
    return h(
      "fieldset",
      { class: "raylm-item" },
      h("legend", {}, title),
      h("div", { class: "raylm-fields" }, ...own.map(({ row }) => row)),
      h(
        "button",
        {
          type: "button",
          class: "raylm-icon-button",
          "aria-label": `Remove ${title}`,
          title: `Remove ${title}`,
          onclick: () => replace(current().filter((_, other) => other !== index)),
        },
        icon("remove"),
      ),
    );
  };

  const message = messagePlace();
  const row = h(
    "div",
    { class: "raylm-field raylm-list", "data-field": field.name },
    h("div", { class: "raylm-label" }, field.title),
    items,
    message,
    h(
      "div",
      { class: "raylm-add" },
      ...Object.keys(kinds).map((kind) => addButton(kind, () => replace([...current(), { kind }]))),
    ),
    h("div", { class: "raylm-help" }, field.help),
  );
  const complain = (problems: Problem[]): void => {
    const isAbout = (problem: Problem, control: Control): boolean => problem.field === control.field.name;
    for (const control of controls) control.complain(problems.filter((problem) => isAbout(problem, control)));
    tellProblem(
      message,
      problems.find((problem) => !controls.some((control) => isAbout(problem, control))),
    );
  };
  rebuild();
  return { field, row, complain };
}

function addButton(kind: string, onclick: () => void): HTMLElement {
  return h("button", { type: "button", class: "raylm-link-button", onclick }, icon("add"), `Add ${kind}`);
}
