/** The beginnings of a few documents, as plain text. */
import { addText, fill, h } from "../dom";
import type { Store, StoreError } from "../store";
import { count } from "../text";
import type { Key, SampleDocument } from "./types";

export class Samples {
  private readonly body = h("div", { class: "raylm-documents" });
  readonly element = h(
    "section",
    { class: "raylm-card", "aria-label": "Documents" },
    h("header", {}, h("h3", {}, "Documents")),
    this.body,
  );
  private version = 0;

  async open(key: Key, store: Store): Promise<void> {
    const version = (this.version += 1);
    const say = (text: string): void => fill(this.body, [h("p", { class: "raylm-muted" }, text)]);
    say("Reading a few documents …");
    try {
      const found = await store.list<SampleDocument>("documents", { ...key });
      if (version !== this.version) return; // another dataset was chosen meanwhile
      if (found.length > 0) fill(this.body, found.map(shown));
      else say("The training split holds none.");
    } catch (error) {
      const { message, mend } = error as StoreError;
      if (version === this.version) say([message, mend].filter(Boolean).join("; "));
    }
  }
}

function shown({ source, number, text, num_tokens, is_cut }: SampleDocument): HTMLElement {
  const body = h("blockquote");
  addText(body, text);
  if (is_cut) body.append(h("span", { class: "raylm-muted" }, " …"));
  const size = `${count(num_tokens)} ${num_tokens === 1 ? "token" : "tokens"}`;
  return h("figure", {}, h("figcaption", {}, `${source}, document ${count(number)}, ${size}`), body);
}
