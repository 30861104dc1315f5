/** The fields that decide how tokens are chosen: those that the chosen checkpoints know, from the store. */
import { fill, h, show } from "../dom";
import { makeControl, type Control } from "../launch/control";
import type { Store } from "../store";
import type { Ability, Field, Problem, Values } from "../types";

const CHECK_AFTER_MS = 250;

export class Controls {
  readonly element = h("div", { class: "raylm-fields", role: "group", "aria-label": "How to write" });
  private readonly controls = new Map<string, Control>();
  private readonly values: Values = {};
  private readonly complaints = new Map<string, string>();
  private timer: number | undefined;
  private names = "";
  private isRight = true;

  constructor(
    private readonly store: Store,
    private readonly onChange: () => void,
  ) {}

  /** Whether no shown field has a message. */
  get areRight(): boolean {
    return this.isRight;
  }

  /** Show the fields of these abilities, each once; what was typed stays. */
  update(abilities: Ability[]): void {
    const fields = new Map(abilities.flatMap((ability) => ability.fields.map((each) => [each.name, each])));
    const names = [...fields.keys()].join(" ");
    if (names === this.names) return;
    this.names = names;
    fill(
      this.element,
      [...fields.values()].map((field) => this.control(field).row),
    );
    show(this.element, fields.size > 0);
    void this.check();
  }

  /** The values of the fields that an ability knows; those left empty are the store's to decide. */
  of(ability: Ability): Values {
    const given = ability.fields.filter(({ name }) => this.values[name] !== undefined);
    return Object.fromEntries(given.map(({ name }) => [name, this.values[name]]));
  }

  /** Show problems under their fields. */
  complain(problems: Problem[]): void {
    const shown = this.names.split(" ");
    this.isRight = !problems.some(({ field }) => shown.includes(field));
    for (const [name, control] of this.controls)
      control.complain(problems.filter(({ field }) => field === name));
    this.onChange();
  }

  close(): void {
    window.clearTimeout(this.timer);
  }

  private control(field: Field): Control {
    const known = this.controls.get(field.name);
    if (known) return known;
    const made = makeControl(field, ({ name }, value, complaint) => {
      this.values[name] = value;
      if (complaint === null) this.complaints.delete(name);
      else this.complaints.set(name, complaint);
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void this.check(), CHECK_AFTER_MS);
    });
    this.controls.set(field.name, made);
    return made;
  }

  /** What is no value at all is known here; whether a value is within its limits, the store knows. */
  private async check(): Promise<void> {
    const own = [...this.complaints].map(([field, message]) => ({ field, message, mend: "" }));
    try {
      this.complain([
        ...own,
        ...(await this.store.list<Problem>("decoding_problems", { decoding: given(this.values) })),
      ]);
    } catch {
      this.complain(own); // the screen says that nobody answers
    }
  }
}

function given(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
