/** Reading and writing one field of nested recipe values by its dotted name ("train.max_steps"). */
import type { Field, Values } from "../types";

export function getAt(values: Values, name: string): unknown {
  let here: unknown = values;
  for (const key of name.split(".")) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Values)[key];
  }
  return here;
}

/** Set a field, making the sections on the way; undefined removes it, so that its default holds. */
export function setAt(values: Values, name: string, value: unknown): void {
  const keys = name.split(".");
  const last = keys.pop() as string;
  let here = values;
  for (const key of keys) {
    const next = here[key];
    if (typeof next !== "object" || next === null) here[key] = {};
    here = here[key] as Values;
  }
  if (value === undefined) delete here[last];
  else here[last] = value;
}

export function copy(values: Values): Values {
  return structuredClone(values);
}

/** A value as a person types it: lists with commas, nothing for "not set". */
export function toText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(toText).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const WHOLE = /^[+-]?\d[\d_]*$/;
const NUMBER = /^[+-]?(\d[\d_]*\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Typed text as the value of a field; throws a sentence where it is none. A string is taken as it stands. */
export function parse(text: string, field: Field): unknown {
  if (text === "" && canBeEmpty(field)) return "";
  if (field.type === "string") return text === "" ? undefined : text;
  return text.trim() === "" ? undefined : (PARSERS[field.type] ?? verbatim)(text.trim(), field);
}

/** Whether emptying the field means the empty text; elsewhere it means "not set", so that the default holds. */
export function canBeEmpty({ type, required, default: usual }: Field): boolean {
  return type === "string" && !required && Boolean(usual);
}

const PARSERS: Record<string, (text: string, field: Field) => unknown> = {
  integer: wholeNumber,
  number: anyNumber,
  list: items,
};

function verbatim(text: string): string {
  return text;
}

function wholeNumber(text: string): number {
  if (!WHOLE.test(text)) throw new Error(`must be a whole number, got ${JSON.stringify(text)}`);
  return Number(text.replaceAll("_", ""));
}

function anyNumber(text: string): number {
  if (!NUMBER.test(text)) throw new Error(`must be a number, got ${JSON.stringify(text)}`);
  return Number(text.replaceAll("_", ""));
}

/** What stands between the commas; a comma alone is the empty list. */
function items(text: string, field: Field): unknown[] {
  const parts = text.split(",").map((part) => part.trim());
  const isNumber = field.items === "integer" || field.items === "number";
  return parts.filter(Boolean).map((part) => (isNumber ? anyNumber(part) : part));
}
