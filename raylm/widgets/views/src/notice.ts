/** The states a screen is in when it has nothing to show: loading, empty, disconnected. */
import { fill, h, show } from "./dom";
import { icon, type IconName } from "./icons";
import type { StoreError } from "./store";

export function loading(what: string): HTMLElement {
  return h(
    "div",
    { class: "raylm-notice", role: "status" },
    h("span", { class: "raylm-spinner" }),
    h("p", {}, what),
  );
}

export function empty(title: string, next: string, picture: IconName = "empty"): HTMLElement {
  return h("div", { class: "raylm-notice" }, icon(picture), h("h3", {}, title), h("p", {}, next));
}

/** Says the cause and offers to try again. */
export function disconnected(error: StoreError, retry: () => void): HTMLElement {
  return h(
    "div",
    { class: "raylm-notice raylm-disconnected", role: "alert" },
    icon(error.isDisconnected ? "plug" : "problem"),
    h("h3", {}, error.message),
    h("p", {}, error.mend),
    h("button", { type: "button", class: "raylm-button", onclick: retry }, "Retry"),
  );
}

/** The place of a notice above its body: where a notice is shown the body is not, unless it is kept. */
export class NoticePlace {
  readonly element: HTMLElement;
  /** Why the store gave no answer when it was last asked; nothing where it did. */
  cause = "";
  private isAnswered = false;

  constructor(
    first: HTMLElement,
    private readonly body: HTMLElement,
  ) {
    this.element = h("div", {}, first);
  }

  tell(notice: HTMLElement | null, isBodyKept = false): void {
    if (notice === null) fill(this.element, []);
    else if (this.element.textContent !== notice.textContent) fill(this.element, [notice]);
    show(this.body, notice === null || isBodyKept);
  }

  /** Say that something else is being read, where a notice is in its way. */
  wait(what: string): void {
    if (this.element.childElementCount > 0) this.tell(loading(what));
  }

  /** The store has answered: what is shown from now on is worth keeping. */
  heard(): void {
    this.cause = "";
    this.isAnswered = true;
  }

  /** What was shown stays, marked with its age; with nothing shown yet the cause takes its place. */
  lost(error: StoreError, retry: () => void): "quiet" {
    this.cause = error.message;
    this.tell(disconnected(error, retry), this.isAnswered);
    return "quiet";
  }
}
