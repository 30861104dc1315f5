/** The Launch screen: choose a starter, change fields, see what it costs, launch. */
import "../styles/base.css";
import "../styles/fields.css";
import "../styles/checkpoints.css";
import "../styles/launch.css";
import { fill, h, uniqueId } from "../dom";
import { LaunchDesk } from "../launch/desk";
import { OriginPicker } from "../launch/origin";
import { disconnected, empty, loading } from "../notice";
import { panel } from "../panel";
import type { Context, Screen } from "../screen";
import { StoreError } from "../store";
import type { RunOrigin, Schema, Starter, Values } from "../types";

export const launchScreen: Screen = (root, context) => {
  let launch: Launch | null = null;
  let isClosed = false;
  const open = async (): Promise<void> => {
    fill(root, [loading("Reading the recipes …")]);
    try {
      const [schema, starters, origins] = await Promise.all([
        context.store.get<Schema>("schema"),
        context.store.list<Starter>("starters"),
        context.store.list<RunOrigin>("origins"),
      ]);
      if (!isClosed) launch = choose(root, context, schema, starters, origins);
    } catch (error) {
      fill(root, [disconnected(error as StoreError, () => void open())]);
    }
  };
  void open();
  return () => {
    isClosed = true;
    launch?.close();
  };
};

function choose(
  root: HTMLElement,
  context: Context,
  schema: Schema,
  starters: Starter[],
  origins: RunOrigin[],
): Launch | null {
  if (starters.length === 0 && origins.length === 0) {
    fill(root, [
      empty(
        "No recipe yet",
        "Write one with `raylm init NAME` beside this notebook, then open the cockpit again.",
      ),
    ]);
    return null;
  }
  return new Launch(root, context, schema, starters, origins);
}

/** The pickers above, the desk of what they name below. */
class Launch {
  private readonly recipe = h("select", { id: uniqueId("starter") });
  private readonly from: OriginPicker;
  private readonly desk: LaunchDesk;
  private readonly problem = h("div", {});
  private readonly endObserving: () => void;
  private version = 0;

  constructor(
    root: HTMLElement,
    private readonly context: Context,
    schema: Schema,
    private starters: Starter[],
    origins: RunOrigin[],
  ) {
    this.desk = new LaunchDesk(context, schema, (name) => void this.list(name));
    this.from = new OriginPicker(context.store, () => void this.pick());
    this.from.update(origins);
    this.recipe.addEventListener("change", () => this.pickRecipe());
    this.drawRecipes("");
    const label = h("label", { for: this.recipe.id }, "Recipe");
    const tools = h(
      "div",
      { class: "raylm-starters" },
      h("div", { class: "raylm-tool" }, label, this.recipe),
      this.from.element,
    );
    const screen = h(
      "div",
      { class: "raylm-screen raylm-launch" },
      this.desk.toolbar(tools),
      this.problem,
      this.desk.element,
    );
    fill(root, [screen]);
    this.endObserving = context.shared.observe("run_id", () => void this.from.refresh());
    void this.pick();
  }

  close(): void {
    this.endObserving();
    this.desk.close();
  }

  /** A recipe goes with a checkpoint, and takes the place of a run's own recipe. */
  private pickRecipe(): void {
    if (this.from.chosen?.step === null) this.from.clear();
    void this.pick();
  }

  private async pick(): Promise<void> {
    const version = (this.version += 1);
    fill(this.problem, []);
    try {
      const values = await this.values();
      if (version === this.version && values) this.desk.open({ name: "", title: "", values });
    } catch (error) {
      if (version !== this.version) return; // another was chosen meanwhile
      fill(this.problem, [disconnected(error as StoreError, () => void this.pick())]);
    }
  }

  /** What the pickers name: a recipe, a run's own, or a recipe that begins with a checkpoint. */
  private async values(): Promise<Values | null> {
    const { chosen } = this.from;
    if (chosen === null && this.recipe.selectedIndex < 0) this.recipe.selectedIndex = 0;
    const starter = this.starters[this.recipe.selectedIndex];
    if (chosen?.step === null) this.recipe.selectedIndex = -1; // the run's own takes its place
    if (chosen === null) return starter?.values ?? null;
    const values = chosen.step === null ? null : (starter?.values ?? null);
    return this.context.store.get<Values>("start_from", { ...chosen, values });
  }

  /** List a recipe that was just saved, as the one that the form holds. */
  private async list(name: string): Promise<void> {
    try {
      this.starters = await this.context.store.list<Starter>("starters");
      this.drawRecipes(name);
    } catch {
      // It is saved and said so; it is listed when the screen is opened again.
    }
  }

  private drawRecipes(chosen: string): void {
    fill(
      this.recipe,
      this.starters.map(({ name, title }) => h("option", { value: name }, title)),
    );
    if (chosen) this.recipe.value = chosen;
  }
}

export default panel(launchScreen);
