/** What a cluster works on: its jobs, and what lately happened to their runs. */
import { fill, h } from "../dom";
import { icon } from "../icons";
import { ago, count, words } from "../text";
import type { ClusterEvent, ClusterJob } from "./answers";

export class Work {
  private readonly jobs = h("ul", { class: "raylm-jobs" });
  private readonly events = h("ol", { class: "raylm-events", tabindex: 0, "aria-label": "Events" });
  private readonly lately = h(
    "section",
    { class: "raylm-card", hidden: true },
    h("h3", {}, "Events"),
    this.events,
  );
  readonly element = h(
    "div",
    { class: "raylm-work" },
    h("section", { class: "raylm-card", "aria-label": "Jobs" }, h("h3", {}, "Jobs"), this.jobs),
    this.lately,
  );
  private shown = "";

  constructor(private readonly open: (runId: string) => void) {}

  /** The keyboard keeps its place. */
  update(jobs: ClusterJob[], events: ClusterEvent[]): void {
    const time = Math.floor(Date.now() / 10_000); // "40 s ago" moves on
    const wanted = JSON.stringify([jobs, events, time]);
    if (wanted === this.shown) return;
    this.shown = wanted;
    const focused = this.jobs.querySelector(":focus")?.textContent;
    const none = h("li", { class: "raylm-muted" }, "No job runs.");
    fill(this.jobs, jobs.length > 0 ? jobs.map((job) => this.job(job)) : [none]);
    fill(this.events, events.map(event));
    this.lately.hidden = events.length === 0;
    const links = [...this.jobs.querySelectorAll("button")];
    if (focused) links.find(({ textContent }) => textContent === focused)?.focus();
  }

  private job({ job_id, run_id, status, started }: ClusterJob): HTMLElement {
    const word = status.toLowerCase();
    const name =
      run_id === null
        ? h("span", {}, job_id)
        : h(
            "button",
            {
              type: "button",
              class: "raylm-job-link",
              title: "Show this run in Monitor",
              onclick: () => this.open(run_id),
            },
            run_id,
          );
    return h(
      "li",
      {},
      h(
        "span",
        { class: `raylm-badge raylm-state-${word}` },
        icon(word === "running" ? "running" : "pending"),
        word,
      ),
      name,
      started === null ? null : h("span", { class: "raylm-muted" }, `started ${ago(started)}`),
    );
  }
}

function event({ run_id, time, event: name, step, reason }: ClusterEvent): HTMLElement {
  const facts = [run_id, step === null ? "" : `step ${count(step)}`, reason ?? ""].filter(Boolean);
  return h(
    "li",
    { "data-event": name },
    h("time", {}, time === null ? "" : ago(time)),
    h("b", {}, words(name)),
    h("span", {}, facts.join(" · ")),
  );
}
