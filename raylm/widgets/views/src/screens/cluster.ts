/** The Cluster screen: which clusters there are, and one of them live; start, stop, connect. */
import "../styles/base.css";
import "../styles/runs.css";
import "../styles/monitor.css";
import "../styles/ask.css";
import "../styles/cluster.css";
import { FormPlace } from "../checkpoints/form";
import { sentence } from "../checkpoints/said";
import type { ClusterDetail, ClusterRow } from "../cluster/answers";
import { ClusterHead } from "../cluster/head";
import { NodeTable } from "../cluster/nodes";
import { connectPlan, removePlan, stopPlan } from "../cluster/plans";
import { Toolbar } from "../cluster/toolbar";
import { Work } from "../cluster/work";
import { fill, h, setText, show } from "../dom";
import { disconnected, empty, loading, NoticePlace } from "../notice";
import { panel } from "../panel";
import { Poller, type Found } from "../poll";
import type { Context, Screen } from "../screen";
import type { StoreError } from "../store";

const LIST_EVERY_MS = 15_000; // each listed cluster is contacted for it

export const clusterScreen: Screen = (root, context) => {
  const screen = new ClusterScreen(root, context);
  return () => screen.close();
};

class ClusterScreen {
  private readonly toolbar: Toolbar;
  private readonly form = new FormPlace();
  private readonly trouble = h("p", { class: "raylm-answer", role: "alert", hidden: true });
  private readonly head = new ClusterHead();
  private readonly nodes = new NodeTable();
  private readonly work: Work;
  private readonly body: HTMLElement;
  private readonly notice: NoticePlace;
  private readonly poller: Poller;
  private readonly clock = window.setInterval(() => this.age(), 1_000);
  private chosen = "";
  private rows: ClusterRow[] = [];
  private listed = 0;
  private shown: ClusterDetail | null = null;
  private answered = 0;
  private cause = "";
  private isActing = false;
  private signature = "";

  constructor(
    root: HTMLElement,
    private readonly context: Context,
  ) {
    this.toolbar = new Toolbar({
      choose: (name) => {
        this.form.close();
        this.choose(name);
      },
      connect: () => this.connect(),
      remove: () => this.remove(),
      start: (numCpus) => void this.start(numCpus),
      stop: () => this.stop(),
    });
    this.work = new Work((runId) => {
      context.shared.set("run_id", runId);
      context.shared.set("started", runId); // the cockpit shows it in Monitor
    });
    this.body = h("div", { hidden: true }, this.nodes.element, this.work.element);
    this.notice = new NoticePlace(loading("Asking the cluster …"), this.body);
    const parts = [this.toolbar.element, this.trouble, this.form.element, this.head.element];
    fill(root, [h("div", { class: "raylm-screen raylm-cluster" }, ...parts, this.notice.element, this.body)]);
    this.poller = new Poller(root, () => this.ask(), context.pace);
  }

  close(): void {
    window.clearInterval(this.clock);
    this.poller.close();
  }

  private choose(name: string): void {
    this.chosen = name;
    this.shown = null;
    this.cause = "";
    this.head.clear();
    show(this.trouble, false);
    this.notice.tell(loading("Asking the cluster …"));
    this.toolbar.list(this.rows, name);
    this.toolbar.allow(this.row(), this.isActing);
    this.poller.wake();
  }

  private wake(): void {
    this.listed = 0;
    this.poller.wake();
  }

  private row(): ClusterRow | null {
    const of = ({ name, is_default }: ClusterRow): boolean =>
      this.chosen === "" ? is_default : name === this.chosen;
    return this.shown ?? this.rows.find(of) ?? null;
  }

  private async ask(): Promise<Found> {
    if (this.isActing) return "running"; // a cluster that is being stopped is not to be called unreachable
    if (Date.now() - this.listed > LIST_EVERY_MS) void this.list();
    const name = this.chosen;
    try {
      const found = await this.context.store.get<ClusterDetail>("cluster", { name });
      return name === this.chosen ? this.draw(found) : "changed";
    } catch (error) {
      return name === this.chosen ? this.fail(error as StoreError) : "changed";
    }
  }

  /** The list is asked for beside the chosen cluster: one that does not answer must not hold up another. */
  private async list(): Promise<void> {
    this.listed = Date.now();
    try {
      this.rows = await this.context.store.list<ClusterRow>("clusters");
      this.toolbar.list(this.rows, this.chosen);
      this.toolbar.allow(this.row(), this.isActing);
    } catch {
      this.listed = 0; // the chosen cluster's own question tells why
    }
  }

  private draw(found: ClusterDetail): Found {
    this.shown = found;
    this.answered = Date.now();
    this.cause = "";
    this.head.update(found);
    this.age();
    this.toolbar.allow(found, this.isActing);
    this.notice.tell(this.instead(found));
    this.nodes.update(found.nodes);
    this.work.update(found.jobs, found.events);
    const signature = JSON.stringify([found.state, found.jobs, found.nodes.map(signs)]);
    const isChanged = signature !== this.signature;
    const isKnown = this.signature !== "";
    this.signature = signature;
    if (isChanged && isKnown) void this.list(); // what is offered has changed too
    return found.state === "starting" ? "running" : isChanged || found.jobs.length > 0 ? "changed" : "quiet";
  }

  /** What stands in the place of the nodes where there are none. */
  private instead(found: ClusterDetail): HTMLElement | null {
    const next =
      "Start local cluster begins one on this machine. Connect adds one that is up elsewhere. " +
      "Runs with scaling.num_workers 0 need none.";
    if (found.state === "starting") return waiting("Ray is starting on this machine …");
    if (found.state === "failed") return empty(found.message, found.mend, "problem");
    return found.state === "none" ? empty("No cluster runs", next, "plug") : null;
  }

  /** What was shown stays, marked with its age; with nothing shown yet the cause takes its place. */
  private fail(error: StoreError): Found {
    this.cause = error.message;
    this.age();
    const isShown = this.shown !== null && this.shown.address !== "";
    this.notice.tell(
      disconnected(error, () => this.wake()),
      isShown,
    );
    this.toolbar.allow(this.row(), this.isActing);
    return "quiet";
  }

  private age(): void {
    if (this.shown !== null) this.head.age((Date.now() - this.answered) / 1000, this.cause !== "");
  }

  private connect(): void {
    const add = async (values: Record<string, string>): Promise<void> => {
      await this.context.store.command("add_cluster", values);
      this.listed = 0;
      this.choose(values["name"] ?? "");
    };
    this.form.open(connectPlan(add), () => this.toolbar.focus("connect"));
  }

  private remove(): void {
    const name = this.row()?.name ?? "";
    const remove = async (): Promise<void> => {
      await this.context.store.command("remove_cluster", { name });
      this.rows = this.rows.filter((row) => row.name !== name);
      this.listed = 0;
      this.choose("");
    };
    this.form.open(removePlan(name, remove), () => this.toolbar.focus("remove"));
  }

  private stop(): void {
    const jobs = this.shown?.jobs ?? [];
    const isSilent = this.cause !== "";
    const stop = async (): Promise<void> => {
      this.act(true);
      this.head.say("starting", "stopping");
      try {
        await this.context.store.command("stop_cluster", { force: isSilent || jobs.length > 0 });
      } finally {
        this.act(false);
        this.wake();
      }
    };
    this.form.open(stopPlan(jobs, isSilent, stop), () => this.toolbar.focus("stop"));
  }

  private async start(text: string): Promise<void> {
    const num_cpus = text === "" ? null : /^\d+$/.test(text) ? Number(text) : text;
    this.act(true);
    show(this.trouble, false);
    this.toolbar.complain(false);
    try {
      await this.context.store.command("start_cluster", { num_cpus });
      if (this.row()?.is_owned !== true) this.choose("owned");
    } catch (error) {
      setText(this.trouble, sentence(error));
      show(this.trouble, true);
      this.toolbar.complain((error as StoreError).problems.some(({ field }) => field === "num_cpus"));
    } finally {
      this.act(false);
      this.wake();
    }
  }

  private act(isActing: boolean): void {
    this.isActing = isActing;
    this.toolbar.allow(this.row(), isActing);
  }
}

/** The status line has told it already. */
function waiting(what: string): HTMLElement {
  return h("div", { class: "raylm-notice" }, h("span", { class: "raylm-spinner" }), h("p", {}, what));
}

/** What of a node is news; its load never rests. */
function signs({ node_id, state, cpus_used, gpus_used }: ClusterDetail["nodes"][number]): unknown[] {
  return [node_id, state, cpus_used, gpus_used];
}

export default panel(clusterScreen);
