/** A tokenizer at work, both ways: a text's tokens with their ids, and the text of ids. */
import { fill, h, setAttribute, setText, show, uniqueId } from "../dom";
import { messagePlace, tellProblem } from "../launch/control";
import type { Store, StoreError } from "../store";
import { count } from "../text";
import type { Problem } from "../types";
import type { DatasetFacts, Key, Preview, Token } from "./types";
import { visible } from "./visible";

const ASK_AFTER_MS = 150;
const MOST_CHARACTERS = 100_000; // that the store takes
const EXAMPLE = "To be, or not to be:\nthat is the question.";

type Way = "text" | "ids";

export class Tokens {
  private readonly text = box("Text", 3);
  private readonly ids = box("Ids", 3);
  private readonly isWhole = h("input", { type: "checkbox", id: uniqueId("frame") });
  private readonly frame = h(
    "span",
    { class: "raylm-tool", hidden: true },
    this.isWhole,
    h("label", { for: this.isWhole.id }, "With special tokens around it"),
  );
  private readonly kind = h("span", { class: "raylm-muted" });
  private readonly figures = h("p", { class: "raylm-token-figures", "aria-live": "polite" });
  private readonly chips = h("ol", {
    class: "raylm-tokens",
    tabindex: 0,
    role: "list",
    "aria-label": "Tokens",
  });
  readonly element: HTMLElement;
  private key: Key | null = null;
  private timer: number | undefined;
  private version = 0;
  private way: Way = "text";

  constructor(private readonly store: Store) {
    this.text.input.value = EXAMPLE;
    this.text.input.addEventListener("input", () => this.soon("text"));
    this.ids.input.addEventListener("input", () => this.soon("ids"));
    this.isWhole.addEventListener("change", () => this.soon("text"));
    this.element = h(
      "section",
      { class: "raylm-card", "aria-label": "Tokenizer" },
      h("header", {}, h("h3", {}, "Tokenizer"), this.frame, this.kind),
      h("div", { class: "raylm-both-ways" }, this.text.element, this.ids.element),
      this.figures,
      this.chips,
    );
  }

  /** Use the tokenizer of another dataset; what was typed is cut anew. */
  open(key: Key, { tokenizer }: DatasetFacts): void {
    this.key = key;
    setText(this.kind, `${tokenizer.kind.replaceAll("_", " ")}, vocabulary ${count(tokenizer.vocab_size)}`);
    if (this.way === "ids") this.way = "text"; // ids mean something else in another vocabulary
    void this.ask();
  }

  close(): void {
    window.clearTimeout(this.timer);
    this.version += 1;
  }

  private soon(way: Way): void {
    this.way = way;
    this.version += 1;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.ask(), ASK_AFTER_MS);
  }

  private async ask(): Promise<void> {
    const { way, key } = this;
    const version = (this.version += 1);
    if (key === null) return;
    try {
      const found = await (way === "text" ? this.cut(key) : this.join(key));
      if (version === this.version) this.show(found, way);
    } catch (error) {
      if (version === this.version) this.refuse(error as StoreError, way);
    }
  }

  private cut(key: Key): Promise<Preview> {
    const text = this.text.input.value.slice(0, MOST_CHARACTERS);
    return this.store.get<Preview>("tokens_of_text", { ...key, text, is_whole: this.isWhole.checked });
  }

  private join(key: Key): Promise<Preview> {
    return this.store.get<Preview>("text_of_tokens", { ...key, ids: parseIds(this.ids.input.value) });
  }

  private show(found: Preview, way: Way): void {
    for (const each of [this.text, this.ids]) each.complain(undefined);
    show(this.frame, found.has_frame);
    if (way === "text") this.ids.input.value = found.tokens.map(({ id }) => id).join(" ");
    else this.text.input.value = found.text;
    const isLong = way === "text" && this.text.input.value.length > MOST_CHARACTERS;
    setText(this.figures, figuresOf(found, isLong));
    fill(this.chips, found.tokens.map(chip));
  }

  private refuse(error: StoreError, way: Way): void {
    const { message, mend, problems } = error;
    const field = way === "text" ? this.text : this.ids;
    field.complain(problems?.[0] ?? { field: way, message, mend: mend ?? "" });
  }
}

interface Box {
  element: HTMLElement;
  input: HTMLTextAreaElement;
  complain(problem: Problem | undefined): void;
}

function box(name: string, rows: number): Box {
  const message = messagePlace();
  const input = h("textarea", {
    id: uniqueId(name.toLowerCase()),
    rows,
    spellcheck: "false",
    "aria-describedby": message.id,
    "data-lm-suppress-shortcuts": "true", // JupyterLab's own, such as running the cell by Ctrl+Enter
  });
  const label = h("label", { for: input.id, class: "raylm-label" }, name);
  return {
    input,
    element: h("div", { class: "raylm-field" }, label, input, message),
    complain: (problem) => {
      setAttribute(input, "aria-invalid", problem ? "true" : null);
      tellProblem(message, problem);
    },
  };
}

function parseIds(text: string): number[] {
  const parts = text.split(/[\s,;[\]]+/).filter(Boolean);
  const wrong = parts.find((part) => !/^\d{1,15}$/.test(part));
  if (wrong !== undefined)
    throw new Error(
      `${JSON.stringify(wrong.slice(0, 40))} is no id; write whole numbers with blanks between`,
    );
  return parts.map(Number);
}

function figuresOf(found: Preview, isLong: boolean): string {
  const { num_tokens, num_characters, num_bytes, num_unknown, tokens, is_same } = found;
  const per = (amount: number): string => (amount / Math.max(1, num_tokens)).toFixed(2);
  return [
    `${count(num_tokens)} ${num_tokens === 1 ? "token" : "tokens"}`,
    `${count(num_characters)} characters`,
    num_tokens > 0 ? `${per(num_characters)} characters per token` : "",
    num_tokens > 0 ? `${per(num_bytes)} bytes per token` : "",
    found.has_unknown ? `${count(num_unknown)} unknown` : "",
    is_same === false ? "the ids do not give back the very same text" : "",
    tokens.length < num_tokens ? `the first ${count(tokens.length)} are shown` : "",
    isLong ? `of the text the first ${count(MOST_CHARACTERS)} characters` : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

/** A token and its id; what is no plain text says so in a word. */
function chip({ id, token, text, bytes, is_special, is_unknown }: Token): HTMLElement {
  const word = is_unknown ? "unknown" : is_special ? "special" : bytes ? "bytes" : "";
  return h(
    "li",
    { class: word ? `raylm-token raylm-token-${word}` : "raylm-token", title: token },
    h("span", { class: "raylm-token-text" }, ...(bytes ? [bytes] : visible(text))),
    h("span", { class: "raylm-token-id" }, String(id), word ? ` ${word}` : ""),
  );
}
