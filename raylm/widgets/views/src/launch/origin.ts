/** The selector beside the recipe's: a run to run once more, or a checkpoint whose weights a run begins with. */
import { fill, h, uniqueId } from "../dom";
import type { Store } from "../store";
import { count } from "../text";
import type { RunOrigin } from "../types";

const NONE = "";

/** A run, and the step of one of its checkpoints; no step means the run's recipe. */
export interface Origin {
  run_id: string;
  step: number | null;
}

export class OriginPicker {
  private readonly select = h("select", { id: uniqueId("from") });
  readonly element = h(
    "div",
    { class: "raylm-tool" },
    h("label", { for: this.select.id }, "from"),
    this.select,
  );
  private origins: RunOrigin[] = [];

  constructor(
    private readonly store: Store,
    onChoose: () => void,
  ) {
    this.select.addEventListener("change", onChoose);
    this.select.addEventListener("focus", () => void this.refresh());
    this.draw();
  }

  get chosen(): Origin | null {
    if (this.select.value === NONE) return null;
    const [run_id = "", step = ""] = this.select.value.split("@");
    return { run_id, step: step === "" ? null : Number(step) };
  }

  get hasAny(): boolean {
    return this.origins.length > 0;
  }

  clear(): void {
    this.select.value = NONE;
  }

  /** Look for runs and checkpoints that have come; what is chosen stays. */
  async refresh(): Promise<void> {
    try {
      this.update(await this.store.list<RunOrigin>("origins"));
    } catch {
      // What is listed stays: choosing asks the store again and says what is wrong.
    }
  }

  update(origins: RunOrigin[]): void {
    if (JSON.stringify(origins) === JSON.stringify(this.origins)) return;
    this.origins = origins;
    this.draw();
  }

  private draw(): void {
    const chosen = this.select.value;
    fill(this.select, [h("option", { value: NONE }, "the recipe alone"), ...this.origins.map(group)]);
    this.select.value = chosen;
    if (this.select.selectedIndex < 0) this.clear();
  }
}

/** A run's recipe, then its checkpoints, newest first. */
function group({ run_id, steps }: RunOrigin): HTMLElement {
  const option = (value: string, text: string): HTMLElement => h("option", { value }, text);
  return h(
    "optgroup",
    { label: run_id },
    option(run_id, `the recipe of ${run_id}`),
    ...steps.toReversed().map((step) => option(`${run_id}@${step}`, `${run_id} @ ${count(step)}`)),
  );
}
