/** The status line: which cluster is shown, its state in icon and word, and how much of it is in use. */
import { fill, h, setText, show } from "../dom";
import { icon } from "../icons";
import { duration } from "../text";
import { amounts, nameOf, WORDS, type ClusterDetail, type ClusterWord } from "./answers";

const STALE_SECONDS = 5;

export class ClusterHead {
  private readonly title = h("h2", { class: "raylm-run-title" });
  private readonly badge = h("span", { class: "raylm-badge" });
  private readonly facts = h("span", { "aria-live": "off" });
  private readonly stale = h("span", { class: "raylm-stale", "aria-live": "off", hidden: true });
  private readonly line = h(
    "div",
    { class: "raylm-status", role: "status" },
    this.badge,
    this.facts,
    this.stale,
  );
  readonly element = h("header", { class: "raylm-cluster-head", hidden: true }, this.title, this.line);

  update(cluster: ClusterDetail): void {
    show(this.element, true);
    setText(this.title, [nameOf(cluster), cluster.address].filter(Boolean).join(" · "));
    this.say(cluster.state, WORDS[cluster.state]);
    const since = cluster.since === null ? "" : `for ${duration(Date.now() / 1000 - cluster.since)}`;
    const running = [cluster.ray_version && `Ray ${cluster.ray_version}`, ...amounts(cluster.nodes)];
    setText(
      this.facts,
      cluster.state === "starting"
        ? since
        : cluster.address === ""
          ? ""
          : running.filter(Boolean).join(" · "),
    );
  }

  /** A word for what a person has just asked for, until the next answer. */
  say(state: ClusterWord, word: string): void {
    this.badge.className = `raylm-badge raylm-state-${state}`;
    if (this.badge.textContent !== word) fill(this.badge, [icon(state), word]);
  }

  /** Mark how old the numbers are, once that is worth knowing. */
  age(seconds: number, isCutOff: boolean): void {
    show(this.stale, isCutOff || seconds >= STALE_SECONDS);
    setText(this.stale, `as of ${duration(seconds)} ago`);
  }

  /** Nothing is known of the cluster that was chosen. */
  clear(): void {
    show(this.element, false);
  }
}
