/** The cockpit in the main area: one tab a screen, over the Jupyter server. */
import { Signal } from "@lumino/signaling";
import { TabPanel, Widget } from "@lumino/widgets";
import { raylmIcon } from "./icon";
import { SharedValues } from "./shared";
import { titleOf, type Shared, type Store, type Views } from "./views";

/** What is kept when the page is left: the screen in front and the run that it shows. */
export interface Place {
  screen?: string;
  runId?: string;
}

/** Where a person begins; a cluster need not be there. */
const FIRST = "launch";

export class Cockpit extends TabPanel {
  readonly changed = new Signal<this, void>(this);
  private readonly shared = new SharedValues();
  /** What the screens see of the shared values: a run that one of them has just started is shown by Monitor. */
  private readonly seen: Shared = {
    get: (key) => this.shared.get(key),
    observe: (key, callback) => this.shared.observe(key, callback),
    set: (key, value) => {
      if (key !== "started") return this.shared.set(key, value);
      this.showPlace({ screen: "monitor", runId: String(value) });
      this.launched();
    },
  };
  private readonly panels = new Map<string, Widget>();
  private wanted: Place;

  constructor(
    private readonly views: Views,
    place: Place,
    private readonly launched: () => void,
  ) {
    super({ tabPlacement: "top", tabsMovable: false });
    this.id = "raylm-cockpit";
    this.addClass("raylm-Cockpit");
    this.title.label = "RayLM";
    this.title.caption = "RayLM cockpit";
    this.title.icon = raylmIcon;
    this.title.closable = true;
    this.wanted = place;
    if (place.runId) this.shared.set("run_id", place.runId);
    this.shared.observe("run_id", () => this.changed.emit());
    this.currentChanged.connect(() => this.changed.emit());
    void this.fill();
  }

  get place(): Place {
    const front = [...this.panels].find(([, panel]) => panel === this.currentWidget);
    return { screen: front?.[0] ?? this.wanted.screen, runId: String(this.shared.get("run_id")) };
  }

  /** Bring a screen to the front, and show the run there where one is given. */
  showPlace(place: Place): void {
    this.wanted = place;
    if (place.runId) this.shared.set("run_id", place.runId);
    const panel = place.screen && this.panels.get(place.screen);
    if (panel) this.currentWidget = panel;
  }

  private async fill(): Promise<void> {
    let names: string[];
    let store: Store;
    try {
      store = await this.views.store();
      names = await this.views.names();
    } catch (error) {
      return this.addWidget(trouble(error as Error, () => void this.again()));
    }
    if (this.isDisposed) return;
    this.tabBar.insertBehavior = "none"; // else the first screen would be filled behind the wanted one
    for (const name of names) {
      const panel = new ScreenPanel(name, this.views, store, this.seen);
      this.panels.set(name, panel);
      this.addWidget(panel);
    }
    this.showPlace({ ...this.wanted, screen: this.wanted.screen ?? FIRST });
    this.currentWidget ??= this.widgets[0] ?? null;
  }

  private async again(): Promise<void> {
    for (const widget of [...this.widgets]) widget.dispose();
    await this.fill();
  }
}

/** One screen, filled when it is first shown. */
class ScreenPanel extends Widget {
  private takeDown: (() => void) | null = null;
  private isFilled = false;

  constructor(
    private readonly name: string,
    private readonly views: Views,
    private readonly store: Store,
    private readonly shared: Shared,
  ) {
    super();
    this.id = `raylm-screen-${name}`;
    this.addClass("raylm-ScreenPanel");
    this.title.label = titleOf(name);
  }

  override dispose(): void {
    this.takeDown?.();
    this.takeDown = null;
    super.dispose();
  }

  protected override onAfterShow(): void {
    void this.fill();
  }

  protected override onAfterAttach(): void {
    if (this.isVisible) void this.fill();
  }

  private async fill(): Promise<void> {
    if (this.isFilled) return;
    this.isFilled = true;
    try {
      const screen = await this.views.screen(this.name);
      if (this.isDisposed) return;
      const root = document.createElement("div");
      root.className = "raylm";
      this.node.replaceChildren(root);
      this.takeDown = screen(root, { store: this.store, shared: this.shared, pace: this.views.wishes.pace });
    } catch (error) {
      this.isFilled = false;
      this.node.replaceChildren(trouble(error as Error, () => void this.fill()).node);
    }
  }
}

function trouble(error: Error, retry: () => void): Widget {
  const button = document.createElement("button");
  button.textContent = "Retry";
  button.className = "jp-mod-styled jp-mod-accept";
  button.addEventListener("click", retry);
  const text = document.createElement("p");
  text.textContent = `The screens of raylm cannot be loaded from the Jupyter server: ${error.message}`;
  const widget = new Widget();
  widget.addClass("raylm-Trouble");
  widget.title.label = "RayLM";
  widget.node.setAttribute("role", "alert");
  widget.node.append(text, button);
  return widget;
}
