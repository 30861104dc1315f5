/** What happened to the run, newest first. */
import { fill, h } from "../dom";
import { clock, count, short, words } from "../text";
import type { EventRecord } from "../types";

const MOST = 200;
const HIDDEN = new Set(["event", "time", "writer", "attempt", "pid", "dataset", "digest", "peak_source"]);

export class Events {
  private readonly list = h("ol", { class: "raylm-events", tabindex: 0, "aria-label": "Events" });
  readonly element = h("section", { class: "raylm-card" }, h("h3", {}, "Events"), this.list);
  private events: EventRecord[] = [];

  clear(): void {
    this.events = [];
    this.draw();
  }

  add(events: EventRecord[]): void {
    if (events.length === 0) return;
    this.events = [...this.events, ...events].sort((one, other) => other.time - one.time).slice(0, MOST);
    this.draw();
  }

  private draw(): void {
    const items = this.events.map((event) =>
      h(
        "li",
        { "data-event": event.event },
        h("time", {}, clock(event.time)),
        h("b", {}, words(event.event)),
        h("span", {}, facts(event)),
      ),
    );
    fill(this.list, items.length > 0 ? items : [h("li", { class: "raylm-muted" }, "Nothing yet.")]);
  }
}

function facts(event: EventRecord): string {
  return Object.entries(event)
    .filter(
      ([name, value]) => !HIDDEN.has(name) && ["string", "number"].includes(typeof value) && value !== "",
    )
    .map(
      ([name, value]) => `${words(name)} ${typeof value === "number" ? number(value) : brief(String(value))}`,
    )
    .join(" · ");
}

/** Digests and paths are told by their ends. */
function brief(text: string): string {
  if (/^[0-9a-f]{32,}$/.test(text)) return text.slice(0, 8);
  return text.length > 60 && text.includes("/") ? `…/${text.split("/").at(-1)?.slice(0, 24)}` : text;
}

function number(value: number): string {
  if (Math.abs(value) >= 1e7) return short(value);
  return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(4)));
}
