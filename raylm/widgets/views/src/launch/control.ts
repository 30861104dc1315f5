/** One field of the recipe: label, typed input with unit, help, and the message when its value is not right. */
import { fill, h, setAttribute, show, uniqueId } from "../dom";
import { icon } from "../icons";
import type { Field, Problem } from "../types";
import { parse, toText } from "./values";

/** What the form keeps of each field. */
export interface Control {
  field: Field;
  row: HTMLElement;
  /** Show a value without telling anybody. */
  set(value: unknown): void;
  /** Show the first message under the field; none clears it. */
  complain(problems: Problem[]): void;
}

/** Called with the parsed value (undefined: not set), or with the sentence saying why the text is no value. */
export type OnChange = (field: Field, value: unknown, complaint: string | null) => void;

type Input = HTMLInputElement | HTMLSelectElement;

export function makeControl(field: Field, onChange: OnChange): Control {
  const input = makeInput(field);
  const ids = { help: uniqueId("help"), message: uniqueId("message") };
  input.id = uniqueId("field");
  input.name = field.name;
  const message = messagePlace(ids.message);
  setAttribute(input, "aria-describedby", `${ids.help} ${ids.message}`);
  setAttribute(input, "aria-required", field.required ? "true" : null);

  const tell = (): void => {
    try {
      onChange(field, read(field, input), null);
    } catch (error) {
      onChange(field, undefined, (error as Error).message);
    }
  };
  input.addEventListener(input instanceof HTMLSelectElement ? "change" : "input", tell);

  const row = layOut(field, input, ids.help, message);
  return {
    field,
    row,
    set: (value) => write(input, value),
    complain: ([problem]) => {
      row.classList.toggle("raylm-invalid", problem !== undefined);
      setAttribute(input, "aria-invalid", problem ? "true" : null);
      tellProblem(message, problem);
    },
  };
}

function layOut(field: Field, input: Input, helpId: string, message: HTMLElement): HTMLElement {
  const isCheck = input.type === "checkbox";
  const label = h(
    "label",
    { for: input.id, class: "raylm-label", title: field.name },
    field.title,
    field.required ? h("span", { class: "raylm-required", "aria-hidden": "true" }, "required") : null,
  );
  const unit = field.unit ? h("span", { class: "raylm-unit" }, field.unit) : null;
  return h(
    "div",
    { class: isCheck ? "raylm-field raylm-field-check" : "raylm-field", "data-field": field.name },
    label,
    h("div", { class: "raylm-input" }, input, unit),
    message,
    h("div", { class: "raylm-help", id: helpId, title: field.help }, field.help),
  );
}

function makeInput(field: Field): Input {
  if (field.enum) return choice(field);
  if (field.type === "boolean") return h("input", { type: "checkbox" });
  const isNumber = field.type === "integer" || field.type === "number";
  return h("input", {
    type: "text",
    class: isNumber ? "raylm-number" : null,
    inputmode: field.type === "integer" ? "numeric" : isNumber ? "decimal" : null,
    autocomplete: "off",
    spellcheck: "false",
    placeholder: toText(field.default) || (field.required ? null : "not set"),
  });
}

function choice(field: Field): HTMLSelectElement {
  const options = (field.enum ?? []).map((value) => h("option", { value: String(value) }, String(value)));
  const unset = field.required || field.default !== null ? null : h("option", { value: "" }, "not set");
  return h("select", {}, unset, ...options);
}

function read(field: Field, input: Input): unknown {
  if (input.type === "checkbox") return (input as HTMLInputElement).checked;
  return parse(input.value, field.type);
}

function write(input: Input, value: unknown): void {
  if (input.type === "checkbox") (input as HTMLInputElement).checked = value === true;
  else input.value = toText(value);
}

/** A place for messages about a field, a list or a section: announced when one appears. */
export function messagePlace(id = uniqueId("message")): HTMLElement {
  return h("div", { class: "raylm-message", id, role: "alert", hidden: true });
}

export function tellProblem(message: HTMLElement, problem: Problem | undefined): void {
  show(message, problem !== undefined);
  const text = problem ? [problem.message, problem.mend].filter(Boolean).join("; ") : "";
  if (message.textContent === text) return;
  fill(message, problem ? [icon("problem"), h("span", {}, text)] : []);
}
