/** The states a screen is in when it has nothing to show: loading, empty, disconnected. */
import { h } from "./dom";
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
