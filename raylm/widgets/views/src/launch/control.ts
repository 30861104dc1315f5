/** One field of the recipe: label, typed input with unit, help, and the message when its value is not right. */
import { fill, h, setAttribute, show, uniqueId } from "../dom";
import { icon } from "../icons";
import type { Field, Problem } from "../types";
import { canBeEmpty, parse, toText } from "./values";

/** What the form keeps of each field. */
export interface Control {
  field: Field;
  row: HTMLElement;
  /** Show the first message under the field; none clears it. */
  complain(problems: Problem[]): void;
}

/** Called with the parsed value (undefined: not set), or with the sentence saying why the text is no value. */
export type OnChange = (field: Field, value: unknown, complaint: string | null) => void;

type Input = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** A control that shows the value; none shows what holds while nothing is given. */
export function makeControl(field: Field, onChange: OnChange, value?: unknown): Control {
  const ids = { field: uniqueId("field"), help: uniqueId("help"), message: uniqueId("message") };
  const message = messagePlace(ids.message);
  const tell = (): void => {
    try {
      onChange(field, read(field, input), null);
    } catch (error) {
      onChange(field, undefined, (error as Error).message);
    }
  };
  const join = (made: Input): Input => {
    made.id = ids.field;
    made.name = field.name;
    setAttribute(made, "aria-describedby", `${ids.help} ${ids.message}`);
    setAttribute(made, "aria-required", field.required ? "true" : null);
    made.addEventListener(made instanceof HTMLSelectElement ? "change" : "input", tell);
    return made;
  };
  let input = join(makeInput(field, value));
  if (value !== undefined) write(input, value);
  input.addEventListener("paste", (event) => {
    const text = pastedLines(event as ClipboardEvent, field, input);
    if (text === null) return;
    const one = input;
    input = join(linesInput(field));
    input.value = text;
    one.replaceWith(input);
    input.focus();
    tell();
  });

  const row = layOut(field, input, ids.help, message);
  return {
    field,
    row,
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

function makeInput(field: Field, value: unknown): Input {
  if (field.enum) return choice(field);
  if ([value, field.default].some(hasLines)) return linesInput(field);
  if (field.type === "boolean") return h("input", { type: "checkbox" });
  const isNumber = field.type === "integer" || field.type === "number";
  return h("input", {
    type: "text",
    class: isNumber ? "raylm-number" : null,
    inputmode: field.type === "integer" ? "numeric" : isNumber ? "decimal" : null,
    autocomplete: "off",
    spellcheck: "false",
    placeholder: placeholder(field),
  });
}

function hasLines(value: unknown): boolean {
  return typeof value === "string" && value.includes("\n");
}

/** JupyterLab's own shortcuts, such as running the cell by Shift+Enter, do not hold in it. */
function linesInput(field: Field): HTMLTextAreaElement {
  return h("textarea", {
    rows: 3,
    spellcheck: "false",
    placeholder: placeholder(field),
    "data-lm-suppress-shortcuts": "true",
  });
}

/** The text with lines that were pasted into an input of one line, which would lose their ends; null for none. */
function pastedLines(event: ClipboardEvent, field: Field, input: Input): string | null {
  const pasted = (event.clipboardData?.getData("text") ?? "").replaceAll("\r\n", "\n");
  if (field.type !== "string" || !(input instanceof HTMLInputElement) || !hasLines(pasted.trim()))
    return null;
  event.preventDefault();
  const { value, selectionStart, selectionEnd } = input;
  return value.slice(0, selectionStart ?? 0) + pasted + value.slice(selectionEnd ?? value.length);
}

/** What holds while the field is empty. */
function placeholder(field: Field): string | null {
  if (canBeEmpty(field)) return `empty; by default ${JSON.stringify(field.default)}`;
  return toText(field.default) || (field.required ? null : "not set");
}

function choice(field: Field): HTMLSelectElement {
  const options = (field.enum ?? []).map((value) => h("option", { value: String(value) }, String(value)));
  const unset = field.required || field.default !== null ? null : h("option", { value: "" }, "not set");
  return h("select", {}, unset, ...options);
}

function read(field: Field, input: Input): unknown {
  if (input.type === "checkbox") return (input as HTMLInputElement).checked;
  return parse(input.value, field);
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
