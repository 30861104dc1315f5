/** The line above everything: which cluster, and what can be done with it. */
import { fill, h, setAttribute, show, uniqueId } from "../dom";
import { nameOf, WORDS, type ClusterRow } from "./answers";

const AUTO = "";

export interface Deeds {
  choose(name: string): void;
  connect(): void;
  remove(): void;
  start(numCpus: string): void;
  stop(): void;
}

export class Toolbar {
  private readonly picker = h("select", { id: uniqueId("address") });
  private readonly cpus = h("input", {
    type: "text",
    inputmode: "numeric",
    id: uniqueId("cpus"),
    class: "raylm-number",
    placeholder: "all",
    autocomplete: "off",
  });
  private readonly buttons: Record<"connect" | "remove" | "start" | "stop", HTMLButtonElement>;
  private readonly starting: HTMLElement;
  readonly element: HTMLElement;
  private shown = "";
  private hasLocal = false;

  constructor(deeds: Deeds) {
    const button = (text: string, act: () => void): HTMLButtonElement =>
      h("button", { type: "button", class: "raylm-button", onclick: act }, text);
    this.buttons = {
      connect: button("Connect", () => deeds.connect()),
      remove: button("Remove", () => deeds.remove()),
      start: button("Start local cluster", () => deeds.start(this.cpus.value.trim())),
      stop: button("Stop", () => deeds.stop()),
    };
    this.picker.addEventListener("change", () => deeds.choose(this.picker.value));
    this.cpus.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !this.buttons.start.disabled) this.buttons.start.click();
    });
    this.starting = tool(h("label", { for: this.cpus.id }, "CPUs"), this.cpus, this.buttons.start);
    this.element = h(
      "div",
      { class: "raylm-cluster-tools", role: "group", "aria-label": "Cluster" },
      tool(h("label", { for: this.picker.id }, "Address"), this.picker),
      this.buttons.connect,
      this.buttons.remove,
      h("span", { class: "raylm-cluster-gap" }),
      this.starting,
      this.buttons.stop,
    );
    this.list([], AUTO);
    this.allow(null, false);
  }

  /** Offer these clusters. */
  list(rows: ClusterRow[], chosen: string): void {
    this.hasLocal = rows.some(({ is_owned, address }) => is_owned && address !== "");
    const automatic = rows.find(({ is_default }) => is_default);
    const options = [
      [AUTO, automatic ? `auto: ${nameOf(automatic)}` : "auto"],
      ...rows.map((row) => [row.name, label(row)]),
    ];
    if (!options.some(([name]) => name === chosen)) options.push([chosen, chosen]); // just added
    const wanted = JSON.stringify(options);
    if (wanted !== this.shown)
      fill(
        this.picker,
        options.map(([value, text]) => h("option", { value }, text as string)),
      );
    this.shown = wanted;
    this.picker.value = chosen;
  }

  /** Enable what fits the shown cluster; nothing is known of one that does not answer but its row. */
  allow(row: ClusterRow | null, isActing: boolean): void {
    const isRunning = row?.is_owned === true && row.address !== "";
    const isElsewhere = row?.is_owned !== true && this.hasLocal;
    const isIdle = row?.is_owned === true && (row.state === "none" || row.state === "failed");
    show(this.starting, !isRunning && !isElsewhere);
    show(this.buttons.stop, isRunning);
    show(this.buttons.remove, row?.is_listed === true);
    this.buttons.start.disabled = isActing || row?.state === "starting";
    this.cpus.disabled = this.buttons.start.disabled;
    this.buttons.stop.disabled = isActing;
    this.buttons.start.classList.toggle("raylm-primary", isIdle);
  }

  complain(isWrong: boolean): void {
    setAttribute(this.cpus, "aria-invalid", isWrong ? "true" : null);
    if (isWrong) this.cpus.focus();
  }

  focus(name: "connect" | "remove" | "stop"): void {
    const button = this.buttons[name];
    (button.hidden ? this.picker : button).focus();
  }
}

function tool(...parts: HTMLElement[]): HTMLElement {
  return h("span", { class: "raylm-tool" }, ...parts);
}

function label(row: ClusterRow): string {
  const about = row.state === "alive" ? row.address : WORDS[row.state];
  return `${nameOf(row)} (${about})`;
}
