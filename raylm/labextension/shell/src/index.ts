/** JupyterLab's side of raylm: the cockpit with no kernel, and what is always in sight. */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette, WidgetTracker } from "@jupyterlab/apputils";
import { PageConfig } from "@jupyterlab/coreutils";
import { ILauncher } from "@jupyterlab/launcher";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { IStatusBar } from "@jupyterlab/statusbar";
import { Cockpit, type Place } from "./cockpit";
import { raylmIcon } from "./icon";
import { RunCount, SidePanel, Toasts } from "./side";
import { Views, type RunWatch } from "./views";
import { Wishes } from "./wishes";

const OPEN = "raylm:open";
const NEW_RUN = "raylm:new-run";

const PLUGIN = "raylm:cockpit"; // schema/cockpit.json holds its settings

const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: "Launch, watch and stop runs of raylm with no kernel.",
  autoStart: true,
  optional: [ICommandPalette, ILauncher, ILayoutRestorer, IStatusBar, ISettingRegistry],
  activate: (app, palette, launcher, restorer, statusBar, settings) => {
    const shell = new Shell(app);
    shell.addCommands();
    for (const command of [OPEN, NEW_RUN]) palette?.addItem({ command, category: "RayLM" });
    launcher?.add({ command: OPEN, category: "Other", rank: 1, args: { isLauncher: true } });
    if (restorer) shell.restoreWith(restorer);
    app.shell.add(shell.side, "left", { rank: 650, type: "RayLM" });
    statusBar?.registerStatusItem("raylm:runs", { item: shell.count, align: "left", rank: 20 });
    void shell.start(settings);
  },
};

class Shell {
  readonly side = new SidePanel();
  readonly count = new RunCount(() => void this.open({ screen: "monitor" }));
  private readonly toasts = new Toasts((runId) => void this.open({ screen: "monitor", runId }));
  private readonly wishes = new Wishes();
  private readonly views = new Views(PageConfig.getBaseUrl(), this.wishes);
  private readonly tracker = new WidgetTracker<Cockpit>({ namespace: "raylm" });
  private watch: RunWatch | null = null;

  constructor(private readonly app: JupyterFrontEnd) {}

  addCommands(): void {
    const { commands } = this.app;
    commands.addCommand(OPEN, {
      label: ({ isLauncher }) => (isLauncher ? "RayLM Cockpit" : "RayLM: Open Cockpit"),
      caption: "Launch, watch and stop runs",
      icon: raylmIcon,
      execute: (args) => this.open({ screen: text(args["screen"]), runId: text(args["runId"]) }),
    });
    commands.addCommand(NEW_RUN, {
      label: "RayLM: New Run",
      caption: "Choose a recipe and launch it",
      icon: raylmIcon,
      execute: () => this.open({ screen: "launch" }),
    });
  }

  restoreWith(restorer: ILayoutRestorer): void {
    restorer.add(this.side, this.side.id);
    void restorer.restore(this.tracker, {
      command: OPEN,
      name: () => "cockpit",
      args: (cockpit) => ({ ...cockpit.place }),
    });
  }

  /** Read the settings, then watch the runs. A plug-in without its settings still does its work. */
  async start(settings: ISettingRegistry | null): Promise<void> {
    try {
      if (settings) await this.wishes.load(settings, PLUGIN);
    } catch (error) {
      console.error("The settings of raylm cannot be read; it goes on with the defaults.", error);
    }
    await this.watchRuns();
  }

  /** Where the server does not answer yet, try again in a while. */
  private async watchRuns(): Promise<void> {
    try {
      const lab = await this.views.lab();
      const store = await this.views.store();
      this.watch = new lab.RunWatch(store);
      this.side.fill(lab, store, this.watch, {
        open: (runId) => void this.open({ screen: "monitor", runId }),
        newRun: () => void this.open({ screen: "launch" }),
        openCluster: () => void this.open({ screen: "cluster" }),
      });
    } catch (error) {
      const cause = `The Jupyter server's part of raylm does not answer: ${(error as Error).message}`;
      this.side.tell(cause);
      this.count.showNone(cause);
      window.setTimeout(() => void this.watchRuns(), 10_000);
      return;
    }
    const watch = this.watch;
    this.wishes.changed.connect(() => watch.wake());
    watch.listen({
      onRuns: (_, error) =>
        error ? this.count.showNone(error.message) : this.count.showCount(watch.numLive),
      onEnd: (run) => {
        if (this.wishes.hasToasts) this.toasts.announce(run);
      },
    });
  }

  private async open(place: Place): Promise<Cockpit> {
    const cockpit = this.tracker.find((one) => !one.isDisposed) ?? (await this.made(place));
    if (place.screen || place.runId) cockpit.showPlace(place);
    this.app.shell.activateById(cockpit.id);
    return cockpit;
  }

  private async made(place: Place): Promise<Cockpit> {
    const cockpit = new Cockpit(this.views, place, () => this.watch?.wake());
    cockpit.changed.connect(() => void this.tracker.save(cockpit));
    await this.tracker.add(cockpit);
    this.app.shell.add(cockpit, "main");
    return cockpit;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value ? value : undefined;
}

export default plugin;
