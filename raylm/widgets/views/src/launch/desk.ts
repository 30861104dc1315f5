/** One draft of a run: its values, their check while a person types, and the one launch it leads to. */
import { FormPlace } from "../checkpoints/form";
import { fill, h, uniqueId } from "../dom";
import { disconnected } from "../notice";
import type { Context } from "../screen";
import type { StoreError } from "../store";
import type { Check, Field, Problem, Schema, Starter, Values } from "../types";
import { Form } from "./form";
import { Outcome } from "./outcome";
import { savePlan } from "./save";
import { isWithin } from "./section";
import { copy, setAt } from "./values";

const DEBOUNCE_MS = 250;

export class LaunchDesk {
  readonly element = h("div", { class: "raylm-desk" });
  private values: Values = {};
  private form: Form | null = null;
  private outcome = new Outcome();
  private parts: HTMLElement[] = [];
  /** Text that is no value of its field's type: the store never sees it. */
  private readonly complaints = new Map<string, string>();
  private runId: Promise<string> | null = null;
  private version = 0;
  private timer: number | undefined;
  private isLaunching = false;
  private hasProblems = true;
  private folder = "";
  private readonly asking = new FormPlace();

  private readonly search = h("input", {
    type: "search",
    id: uniqueId("search"),
    placeholder: "Find a field",
  });
  private readonly advanced = h("input", { type: "checkbox", id: uniqueId("advanced") });
  private readonly checkButton = this.button("Check", "raylm-button", () => void this.check(true));
  private readonly saveButton = this.button("Save recipe", "raylm-button", () => this.save());
  private readonly launchButton = this.button(
    "Launch",
    "raylm-button raylm-primary",
    () => void this.launch(),
  );

  constructor(
    private readonly context: Context,
    private readonly schema: Schema,
    private readonly onSaved: (name: string) => void,
  ) {
    for (const input of [this.search, this.advanced]) input.addEventListener("input", () => this.narrow());
  }

  /** The tools above the form, after the given first one. */
  toolbar(first: HTMLElement): HTMLElement {
    return h(
      "div",
      { class: "raylm-toolbar" },
      first,
      h(
        "div",
        { class: "raylm-tool raylm-grow" },
        h("label", { for: this.search.id }, "Search"),
        this.search,
      ),
      h("div", { class: "raylm-tool" }, this.advanced, h("label", { for: this.advanced.id }, "Advanced")),
    );
  }

  /** Begin a draft from a starter, which will be another run. */
  open(starter: Starter): void {
    this.values = copy(starter.values);
    this.complaints.clear();
    this.outcome = new Outcome();
    this.form = new Form(this.schema, this.values, (...change) => this.changed(...change));
    const buttons = [this.checkButton, this.saveButton, this.launchButton];
    const actions = h("div", { class: "raylm-actions" }, ...buttons);
    this.asking.close();
    this.parts = [this.form.element, this.outcome.element, actions, this.asking.element];
    fill(this.element, this.parts);
    this.narrow();
    this.runId = null;
    this.setProblems([]);
    this.launchButton.disabled = this.saveButton.disabled = true; // until the first check has answered
    void this.check(false);
  }

  close(): void {
    window.clearTimeout(this.timer);
    this.version += 1;
  }

  private changed(field: Field, value: unknown, complaint: string | null): void {
    // A section of another kind and a list that has changed have other fields.
    for (const name of this.complaints.keys()) if (isWithin(name, field.name)) this.complaints.delete(name);
    if (complaint) this.complaints.set(field.name, complaint);
    if (!complaint) setAt(this.values, field.name, value);
    if (field.name === "name") this.runId = null;
    this.version += 1;
    window.clearTimeout(this.timer);
    if (this.complaints.size > 0) this.setProblems(this.ownProblems());
    else this.timer = window.setTimeout(() => void this.check(false), DEBOUNCE_MS);
  }

  private ownProblems(): Problem[] {
    return [...this.complaints].map(([field, message]) => ({ field, message, mend: "" }));
  }

  /** Ask the store about the values as they stand; an answer that comes after a newer change is dropped. */
  private async check(isDeep: boolean): Promise<void> {
    if (this.complaints.size > 0) return;
    const version = (this.version += 1);
    if (isDeep) this.outcome.say("Checking …", true);
    try {
      const check = await this.context.store.check(this.values, isDeep);
      if (version === this.version) this.show(check, isDeep);
    } catch (error) {
      if (version === this.version) this.refuse(error as StoreError);
    }
  }

  private show(check: Check, isDeep: boolean): void {
    this.outcome.update(check);
    this.folder = check.file.slice(0, check.file.lastIndexOf("/") + 1) || this.folder;
    this.outcome.say(isDeep ? "Ready to launch." : "", true);
    this.setProblems(check.problems);
  }

  private setProblems(problems: Problem[]): void {
    this.hasProblems = problems.length > 0;
    const unowned = this.form?.complain(problems) ?? [];
    if (this.hasProblems)
      this.outcome.say(
        `${problems.length} ${problems.length === 1 ? "field" : "fields"} to mend before launching.`,
        false,
      );
    this.outcome.complain(unowned);
    this.launchButton.disabled = this.hasProblems || this.isLaunching;
    this.saveButton.disabled = this.hasProblems;
    this.checkButton.disabled = this.complaints.size > 0;
  }

  /** Ask for a name, then write the recipe of the form as it stands. */
  private save(): void {
    const name = String(this.values["name"] ?? "");
    const write = async (file: string, is_replacing: boolean): Promise<void> => {
      const asked = { values: this.values, file, is_replacing };
      const saved = await this.context.store.command<{ name: string }>("save_recipe", asked);
      this.outcome.say(`Saved ${saved.name}.`, true);
      this.onSaved(saved.name);
    };
    const onGone = (): void => this.saveButton.focus();
    this.asking.open(savePlan(this.asking, name, this.folder, write, onGone), onGone);
  }

  private async launch(): Promise<void> {
    if (this.launchButton.disabled) return;
    this.isLaunching = this.launchButton.disabled = true;
    const { outcome } = this; // of this draft, whichever is open when the answer comes
    outcome.say("Launching …", true);
    try {
      const run_id = await this.idOfDraft();
      const asked = { values: this.values, run_id };
      const { is_new } = await this.context.store.command<{ is_new: boolean }>("launch", asked);
      outcome.say(is_new ? `Launched ${run_id}.` : `${run_id} had been launched already.`, true);
      this.runId = null; // the next click is another run
      this.context.shared.set("run_id", run_id);
      this.context.shared.set("started", run_id);
    } catch (error) {
      const { isDisconnected, message } = error as StoreError;
      if (isDisconnected) outcome.say(`${message} Press Launch again; nothing starts twice.`, false);
      else this.refuse(error as StoreError);
    } finally {
      this.isLaunching = false;
      this.launchButton.disabled = this.hasProblems;
    }
  }

  private refuse(error: StoreError): void {
    if (error.problems.length > 0) this.setProblems(error.problems);
    else if (error.isDisconnected) fill(this.element, [disconnected(error, () => this.goOn())]);
    else this.outcome.say([error.message, error.mend].filter(Boolean).join("; "), false);
  }

  /** The draft as it was left, with its run id: what was launched before the silence starts no second run. */
  private goOn(): void {
    fill(this.element, this.parts);
    void this.check(false);
  }

  /** Made once a draft, so that pressing Launch again, after silence, starts no second run. */
  private idOfDraft(): Promise<string> {
    const made = this.runId ?? this.context.store.get<string>("run_id", { name: this.values["name"] ?? "" });
    this.runId = made;
    made.catch(() => {
      if (this.runId === made) this.runId = null; // an impossible name is shown by the check
    });
    return made;
  }

  private narrow(): void {
    this.form?.narrow({ search: this.search.value.trim(), is_advanced: this.advanced.checked });
  }

  private button(text: string, className: string, onclick: () => void): HTMLButtonElement {
    return h("button", { type: "button", class: className, onclick }, text);
  }
}
