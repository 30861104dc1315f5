/** What a model made of the prompt: the text as it comes, and at its end what is known besides, with bars. */
import { addText, fill, h } from "../dom";
import type { Candidate, Details } from "../types";
import { cleanLines } from "../text";

export class Answer {
  private readonly text = h("div", { class: "raylm-text" });
  private readonly more = h("div", { class: "raylm-more" });
  private readonly said = h("div", { class: "raylm-unseen", "aria-live": "polite" });
  readonly element: HTMLElement;
  private written = "";

  constructor(name: string) {
    this.element = h(
      "div",
      { class: "raylm-written", role: "region", tabindex: 0, "aria-label": `Text ${name}` },
      this.text,
      this.more,
      this.said,
    );
  }

  /** Begin anew, with what stands before the text. */
  clear(given = ""): void {
    this.written = "";
    fill(this.text, []);
    fill(this.more, []);
    fill(this.said, []);
    if (!given) return;
    const before = h("span", { class: "raylm-given" });
    addText(before, given);
    this.text.append(before);
  }

  add(text: string): void {
    if (text === "") return;
    const isAtEnd =
      this.element.scrollHeight - this.element.scrollTop - this.element.clientHeight < FOLLOWED_PIXELS;
    this.written += text;
    addText(this.text, text);
    if (isAtEnd) this.element.scrollTop = this.element.scrollHeight;
  }

  /** Say the whole text to whoever listens, and show what is known of it. */
  finish(details: Details): void {
    fill(this.said, []);
    addText(this.said, this.written || "no text");
    const shown = SHOWERS.map((show) => show(details)).filter((each) => each !== null);
    if (details.words) fill(this.text, [words(details.words)]);
    fill(this.more, shown);
  }
}

const FOLLOWED_PIXELS = 24;

const SHOWERS: ((details: Details) => HTMLElement | null)[] = [
  ({ masks }) =>
    masks && masks.length > 0
      ? h("div", { class: "raylm-masks" }, ...masks.map((each, place) => bars(`Mask ${place + 1}`, each)))
      : null,
  ({ labels }) => (labels && labels.length > 0 ? bars("Classes", labels) : null),
  ({ answer, probability, no_answer }) =>
    answer === undefined
      ? null
      : bars("How likely", [
          { text: answer || "(nothing)", probability: probability ?? 0 },
          { text: "no answer", probability: no_answer ?? 0 },
        ]),
  ({ filled }) => (filled ? lines("Filled in", filled) : null),
  ({ notes }) => (notes && notes.length > 0 ? lines("Note", notes.join("\n")) : null),
];

/** Candidates, each with a bar as long as it is likely; the number says the same. */
function bars(title: string, candidates: Candidate[]): HTMLElement {
  const rows = candidates.map(({ text, probability }) => {
    const bar = h("span", { class: "raylm-share", "aria-hidden": "true" }, h("span"));
    (bar.firstElementChild as HTMLElement).style.width = `${(100 * probability).toFixed(1)}%`;
    return h(
      "li",
      {},
      h("span", { class: "raylm-candidate", title: text }, shownText(text)),
      bar,
      h("span", { class: "raylm-percent" }, percent(probability)),
    );
  });
  return h("section", { class: "raylm-bars" }, h("h4", {}, title), h("ol", {}, ...rows));
}

function words(tagged: { text: string; tag: string }[]): HTMLElement {
  return h(
    "p",
    { class: "raylm-tagged" },
    ...tagged.flatMap(({ text, tag }) => [
      tag === "O"
        ? h("span", {}, text)
        : h("mark", { class: "raylm-tag" }, text, h("span", { class: "raylm-tag-name" }, ` ${tag}`)),
      " ",
    ]),
  );
}

function lines(title: string, text: string): HTMLElement {
  const place = h("p", { class: "raylm-lines" });
  addText(place, text);
  return h("section", {}, h("h4", {}, title), place);
}

/** White space at the ends of a token is part of it; nothing else is to be seen of a blank. */
function shownText(text: string): string {
  const visible = cleanLines(text).replaceAll("\n", "⏎");
  return visible.trim() === "" ? `"${visible}"` : visible.trim();
}

function percent(share: number): string {
  return share > 0 && share < 0.001 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`;
}
