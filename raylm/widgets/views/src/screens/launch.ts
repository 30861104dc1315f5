/** The Launch screen: choose a starter, change fields, see what it costs, launch. */
import "../styles/base.css";
import "../styles/fields.css";
import "../styles/launch.css";
import { fill, h, uniqueId } from "../dom";
import { LaunchDesk } from "../launch/desk";
import { disconnected, empty, loading } from "../notice";
import { panel } from "../panel";
import type { Context, Screen } from "../screen";
import { StoreError } from "../store";
import type { Schema, Starter } from "../types";

export const launchScreen: Screen = (root, context) => {
  let desk: LaunchDesk | null = null;
  const open = async (): Promise<void> => {
    fill(root, [loading("Reading the recipes …")]);
    try {
      const [schema, starters] = await Promise.all([
        context.store.get<Schema>("schema"),
        context.store.list<Starter>("starters"),
      ]);
      desk = choose(root, context, schema, starters);
    } catch (error) {
      fill(root, [disconnected(error as StoreError, () => void open())]);
    }
  };
  void open();
  return () => desk?.close();
};

/** The picker above, the desk of the picked starter below. */
function choose(root: HTMLElement, context: Context, schema: Schema, starters: Starter[]): LaunchDesk | null {
  if (starters.length === 0) {
    fill(root, [
      empty(
        "No recipe yet",
        "Write one with `raylm init NAME` beside this notebook, then open the cockpit again.",
      ),
    ]);
    return null;
  }
  const picker = h(
    "select",
    { id: uniqueId("starter") },
    ...starters.map(({ name, title }) => h("option", { value: name }, title)),
  );
  const desk = new LaunchDesk(context, schema);
  const pick = (): void => desk.open(starters[picker.selectedIndex] as Starter);
  picker.addEventListener("change", pick);
  const pickerField = h("div", { class: "raylm-tool" }, h("label", { for: picker.id }, "Recipe"), picker);
  fill(root, [h("div", { class: "raylm-screen raylm-launch" }, desk.toolbar(pickerField), desk.element)]);
  pick();
  return desk;
}

export default panel(launchScreen);
