/** What is always in sight: the sidebar with the runs, the number of live ones in the status bar, and toasts. */
import { Notification } from "@jupyterlab/apputils";
import { Widget } from "@lumino/widgets";
import { raylmIcon } from "./icon";
import type { LabModule, Run, RunWatch, Store } from "./views";

export interface Doors {
  open(runId: string): void;
  newRun(): void;
  openCluster(): void;
}

export class SidePanel extends Widget {
  constructor() {
    super();
    this.id = "raylm-sidebar";
    this.addClass("raylm");
    this.addClass("raylm-SidePanel");
    this.title.icon = raylmIcon;
    this.title.caption = "RayLM";
    this.node.setAttribute("role", "region");
    this.node.setAttribute("aria-label", "RayLM cluster and runs");
  }

  fill(lab: LabModule, store: Store, watch: RunWatch, doors: Doors): void {
    const root = document.createElement("div");
    this.node.replaceChildren(root);
    const takeDown = lab.sidebar(root, { store, watch, ...doors });
    this.disposed.connect(takeDown);
  }

  tell(text: string): void {
    this.node.textContent = text;
  }
}

/** A button in the status bar: how many runs are live, and the way to the cockpit. */
export class RunCount extends Widget {
  private readonly button = document.createElement("button");

  constructor(open: () => void) {
    super();
    this.addClass("raylm-RunCount");
    this.button.type = "button";
    this.button.addEventListener("click", open);
    this.node.append(this.button);
    this.showNone("The runs are not known yet.");
  }

  showCount(numLive: number): void {
    this.button.textContent = `RayLM: ${numLive} running`;
    this.button.title =
      numLive === 1 ? "1 run is live; open the cockpit" : `${numLive} runs are live; open the cockpit`;
  }

  /** An old number would be no better than a wrong one. */
  showNone(cause: string): void {
    this.button.textContent = "RayLM: ?";
    this.button.title = cause;
  }
}

/** Toasts for runs that ended: each goes by itself where all is well; one stays for all that did not finish. */
export class Toasts {
  private kept = "";
  private numKept = 0;

  constructor(private readonly open: (runId: string) => void) {}

  announce(run: Run): void {
    const actions = [{ label: "Open", callback: () => this.open(run.run_id) }];
    const reason = run.reason ? `: ${run.reason}` : "";
    const text = `${run.name} ${run.status} at step ${run.step ?? 0}${reason}`;
    const isWell = run.status === "finished" || run.status === "stopped";
    if (isWell) Notification.success(text, { actions, autoClose: 8000 });
    else this.keep(text, { actions, autoClose: false });
  }

  /** A night of failures is one toast: the last of them, and how many there were since it was put away. */
  private keep(text: string, options: Notification.IOptions<null>): void {
    this.numKept = Notification.manager.has(this.kept) ? this.numKept + 1 : 1;
    if (this.numKept === 1) this.kept = Notification.error(text, options);
    else {
      const message = `${this.numKept} runs did not finish. The last: ${text}`;
      Notification.update({ id: this.kept, message, type: "error", ...options });
    }
  }
}
