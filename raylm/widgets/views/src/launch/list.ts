/** A list of choices (data sources, trackers): one card an item, each of a kind with its own fields. */
import { fill, h, show } from "../dom";
import { icon } from "../icons";
import type { Values } from "../store";
import { words } from "../text";
import type { Field, Problem } from "../types";
import { makeControl, type Control, type OnChange } from "./control";
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
    const own = (kinds[kind] ?? [])
      .filter(({ name }) => name !== "kind")
      .map((inner) => makeControl({ ...inner, name: `${field.name}.${index}.${inner.name}` }, onChange));
    for (const control of own) control.set(getAt(values, control.field.name) ?? control.field.default);
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

  const message = h("div", { class: "raylm-message", role: "alert", hidden: true });
  const row = h(
    "div",
    { class: "raylm-field raylm-list", "data-field": field.name },
    h("div", { class: "raylm-label" }, words(field.name.split(".").at(-1) ?? "")),
    items,
    message,
    h(
      "div",
      { class: "raylm-add" },
      ...Object.keys(kinds).map((kind) => addButton(kind, () => replace([...current(), { kind }]))),
    ),
    h("div", { class: "raylm-help" }, field.help ?? ""),
  );
  const complain = (problem: Problem | null): void => {
    const inner = controls.find((control) => control.field.name === problem?.field);
    for (const control of controls) control.complain(control === inner ? problem : null);
    const isOwn = problem !== null && !inner;
    show(message, isOwn);
    fill(
      message,
      isOwn
        ? [icon("problem"), h("span", {}, [problem.message, problem.mend].filter(Boolean).join("; "))]
        : [],
    );
  };
  return { field, row, set: rebuild, complain };
}

function addButton(kind: string, onclick: () => void): HTMLElement {
  return h("button", { type: "button", class: "raylm-link-button", onclick }, icon("add"), `Add ${kind}`);
}
