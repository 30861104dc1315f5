/** What the store answers about clusters; raylm/api/questions/cluster.py is the other side. */

export type ClusterWord = "alive" | "starting" | "failed" | "none" | "unreachable";

export interface ClusterRow {
  name: string;
  /** Empty while the local cluster does not run. */
  address: string;
  is_owned: boolean;
  is_listed: boolean;
  is_default: boolean;
  state: ClusterWord;
  /** When a start was asked for, in seconds since 1970. */
  since: number | null;
  message: string;
  mend: string;
  ray_version: string;
}

/** A machine; what its cluster does not tell is null. */
export interface ClusterNode {
  node_id: string;
  name: string;
  address: string;
  is_head: boolean;
  state: "alive" | "lost";
  ended: number | null;
  reason: string;
  cpus: number;
  cpus_used: number | null;
  load_percent: number | null;
  memory_bytes: number | null;
  memory_used_bytes: number | null;
  gpus: number;
  gpus_used: number | null;
  gpu_memory_bytes: number | null;
  gpu_memory_used_bytes: number | null;
}

export interface ClusterJob {
  job_id: string;
  run_id: string | null;
  status: string;
  started: number | null;
}

export interface ClusterEvent {
  run_id: string;
  time: number | null;
  event: string;
  step: number | null;
  reason: string | null;
}

export interface ClusterDetail extends ClusterRow {
  nodes: ClusterNode[];
  jobs: ClusterJob[];
  events: ClusterEvent[];
}

/** The state in a person's words. */
export const WORDS: Record<ClusterWord, string> = {
  alive: "alive",
  starting: "starting",
  failed: "failed",
  none: "not running",
  unreachable: "unreachable",
};

/** "local" is the one that raylm starts itself. */
export function nameOf({ name, is_owned }: ClusterRow): string {
  return is_owned ? "local" : name;
}

/** "2 nodes", "CPUs 1 of 4", "GPUs 0 of 8": of those that are alive. */
export function amounts(nodes: ClusterNode[]): string[] {
  const alive = nodes.filter(({ state }) => state === "alive");
  const lost = nodes.length - alive.length;
  return [
    `${alive.length} ${alive.length === 1 ? "node" : "nodes"}`,
    lost > 0 ? `${lost} lost` : "",
    share("CPUs", alive, "cpus_used", "cpus"),
    alive.some(({ gpus }) => gpus > 0) ? share("GPUs", alive, "gpus_used", "gpus") : "",
  ].filter(Boolean);
}

function share(
  noun: string,
  nodes: ClusterNode[],
  used: "cpus_used" | "gpus_used",
  all: "cpus" | "gpus",
): string {
  const sum = (key: typeof used | typeof all): number =>
    nodes.reduce((total, node) => total + (node[key] ?? 0), 0);
  const isKnown = nodes.some((node) => node[used] !== null);
  return `${noun} ${isKnown ? plain(sum(used)) : "–"} of ${plain(sum(all))}`;
}

/** Parts of a processor, such as 0.5, keep a digit or two. */
export function plain(value: number): string {
  return String(Number(value.toFixed(2)));
}
