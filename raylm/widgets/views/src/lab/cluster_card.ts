/** The cluster that jobs go to, in the sidebar: its state in icon and word, how much of it is in use. */
import { amounts, nameOf, WORDS, type ClusterDetail, type ClusterWord } from "../cluster/answers";
import { fill, h, setAttribute, setText, show } from "../dom";
import { icon } from "../icons";
import { Poller, type Found } from "../poll";
import type { Store, StoreError } from "../store";
import { fillFacts } from "./facts";

export class ClusterCard {
  private readonly badge = h("span", { class: "raylm-badge" }, "looking");
  private readonly name = h("h3", { class: "raylm-card-name" }, "Cluster");
  private readonly facts = h("p", { class: "raylm-muted", hidden: true });
  readonly element: HTMLElement;
  private readonly poller: Poller;
  private shown = "";

  constructor(
    private readonly store: Store,
    open: () => void,
  ) {
    const button = h(
      "button",
      { type: "button", class: "raylm-button", "aria-label": "Open Cluster", onclick: open },
      "Open",
    );
    this.element = h(
      "section",
      { class: "raylm-card raylm-cluster-card", "aria-label": "Cluster" },
      h("div", { class: "raylm-card-line" }, this.name, this.badge),
      h("div", { class: "raylm-card-line" }, this.facts, button),
    );
    this.poller = new Poller(this.element, () => this.ask());
  }

  close(): void {
    this.poller.close();
  }

  private async ask(): Promise<Found> {
    try {
      return this.draw(await this.store.get<ClusterDetail>("cluster"));
    } catch (error) {
      const { message, isDisconnected } = error as StoreError;
      // Where the Jupyter server is gone the list below says so, and nothing is known of the cluster.
      if (isDisconnected) this.tell("none", "unknown", [], "");
      else this.tell("unreachable", WORDS.unreachable, [message], message);
      return "quiet";
    }
  }

  private draw(found: ClusterDetail): Found {
    setText(this.name, `Cluster: ${nameOf(found)}`);
    const facts = found.state === "alive" ? amounts(found.nodes) : [found.message].filter(Boolean);
    const isChanged = this.tell(found.state, WORDS[found.state], facts, found.address || found.message);
    return found.state === "starting" || isChanged ? "changed" : "quiet";
  }

  /** True where the card says something else than before. */
  private tell(state: ClusterWord, word: string, facts: string[], title: string): boolean {
    const wanted = [state, word, ...facts].join("\n");
    if (wanted === this.shown) return false;
    this.shown = wanted;
    this.element.className = `raylm-card raylm-cluster-card raylm-state-${state}`;
    setAttribute(this.element, "title", title);
    fill(this.badge, [icon(state), word]);
    fillFacts(this.facts, facts);
    show(this.facts, facts.length > 0);
    return true;
  }
}
