/** The form that asks where a recipe is saved, and once more before another file is replaced. */
import { FormField, type FormPlace, type FormPlan } from "../checkpoints/form";
import { h, setText } from "../dom";
import type { StoreError } from "../store";

type Write = (file: string, isReplacing: boolean) => Promise<void>;

export function savePlan(
  place: FormPlace,
  name: string,
  folder: string,
  write: Write,
  onGone: () => void,
): FormPlan {
  const where = h("span", {}, "");
  const input = h("input", { type: "text", value: name, spellcheck: "false" });
  const file = new FormField("File name", input, "Letters, digits, dots, dashes and underscores.", ["file"]);
  const tell = (): void => setText(where, `It will be ${folder}${stem(file.value)}.yaml`);
  input.addEventListener("input", tell);
  file.element.append(h("p", { class: "raylm-muted", "aria-live": "polite" }, where));
  tell();
  return {
    title: "Save recipe",
    text: "Writes the whole recipe as YAML, as Preview shows it; it can be chosen under Recipe then.",
    fields: [file],
    send: "Save",
    giveUp: "Cancel",
    onSend: async () => {
      try {
        await write(file.value, false);
      } catch (error) {
        const isThere = (error as StoreError).problems?.some(({ code }) => code === "exists");
        if (!isThere) throw error;
        // The form that asks takes this one's place once this one has been sent.
        window.setTimeout(() => place.open(replacePlan(file.value, folder, write), onGone));
      }
    },
  };
}

function replacePlan(name: string, folder: string, write: Write): FormPlan {
  return {
    title: `Replace ${stem(name)}.yaml?`,
    text: `${folder}${stem(name)}.yaml is there already. What it holds will be gone.`,
    fields: [],
    send: "Replace",
    giveUp: "Keep",
    isDanger: true,
    onSend: () => write(name, true),
  };
}

function stem(name: string): string {
  return name.replace(/\.ya?ml$/, "");
}
