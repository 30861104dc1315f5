/** The machines of a cluster, one row each, with small meters beside the numbers. */
import { fill, h } from "../dom";
import { icon } from "../icons";
import { ago, bytes } from "../text";
import { plain, type ClusterNode } from "./answers";

export class NodeTable {
  private readonly head = h("tr");
  private readonly body = h("tbody");
  readonly element = h(
    "div",
    { class: "raylm-table raylm-node-table", tabindex: 0, role: "region", "aria-label": "Nodes" },
    h("table", {}, h("thead", {}, this.head), this.body),
  );

  update(nodes: ClusterNode[]): void {
    const hasGpus = nodes.some(({ gpus }) => gpus > 0);
    const titles = [
      "Node",
      "State",
      "CPUs in use",
      "Load",
      "RAM",
      ...(hasGpus ? ["GPUs", "GPU memory"] : []),
    ];
    fill(
      this.head,
      titles.map((title) => h("th", { scope: "col" }, title)),
    );
    fill(
      this.body,
      nodes.flatMap((node) => (node.state === "alive" ? [alive(node, hasGpus)] : lost(node, titles.length))),
    );
  }
}

function alive(node: ClusterNode, hasGpus: boolean): HTMLElement {
  const { load_percent: load } = node;
  return h(
    "tr",
    { "data-state": node.state },
    ...first(node),
    meter(node.cpus_used, node.cpus, plain),
    h("td", {}, load === null ? "–" : `${Math.round(load)} %`),
    meter(node.memory_used_bytes, node.memory_bytes, bytes),
    hasGpus && meter(node.gpus_used, node.gpus, plain),
    hasGpus && meter(node.gpu_memory_used_bytes, node.gpu_memory_bytes, bytes),
  );
}

/** What a lost node had is gone; when it went and why takes the place of its numbers. */
function lost(node: ClusterNode, columns: number): HTMLElement[] {
  const when = node.ended === null ? "" : `lost ${ago(node.ended)}`;
  const why = [when, node.reason].filter(Boolean).join(": ");
  return [
    h(
      "tr",
      { "data-state": node.state },
      ...first(node),
      h("td", { colspan: columns - 2, class: "raylm-node-why" }, why),
    ),
  ];
}

function first(node: ClusterNode): HTMLElement[] {
  const { name, address, is_head, state, node_id } = node;
  return [
    h(
      "th",
      { scope: "row", title: `${name} ${address} ${node_id}` },
      h("span", { class: "raylm-node-name" }, name),
      is_head ? h("span", { class: "raylm-muted" }, " head") : null,
    ),
    h(
      "td",
      {},
      h(
        "span",
        { class: `raylm-badge raylm-state-${state}` },
        icon(state === "alive" ? "alive" : "problem"),
        state,
      ),
    ),
  ];
}

/** A number of a number, after a bar that shows the share; the bar alone tells nothing. */
function meter(used: number | null, all: number | null, show: (value: number) => string): HTMLElement {
  if (all === null || (all === 0 && !used)) return h("td", {}, "–");
  const bar = h("span", {});
  bar.style.width = `${Math.min(100, (100 * (used ?? 0)) / Math.max(all, 1e-9)).toFixed(1)}%`;
  return h(
    "td",
    {},
    h(
      "span",
      { class: "raylm-metered" },
      h("span", { class: "raylm-meter", "aria-hidden": "true" }, bar),
      h("span", {}, `${used === null ? "–" : show(used)} of ${show(all)}`),
    ),
  );
}
