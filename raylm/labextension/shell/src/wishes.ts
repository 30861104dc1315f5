/** What a person has set in JupyterLab's settings editor: see schema/cockpit.json. Changes act at once. */
import type { ISettingRegistry } from "@jupyterlab/settingregistry";
import { Signal } from "@lumino/signaling";
import type { Pace } from "./views";

export class Wishes {
  readonly changed = new Signal<this, void>(this);
  readonly pace: Pace & { runningMs: number } = { runningMs: 500 };
  storage = "";
  hasToasts = true;

  async load(registry: ISettingRegistry, plugin: string): Promise<void> {
    const settings = await registry.load(plugin);
    settings.changed.connect(() => this.take(settings));
    this.take(settings);
  }

  private take({ composite }: ISettingRegistry.ISettings): void {
    this.pace.runningMs = 1000 * Number(composite["pollInterval"]);
    this.storage = String(composite["storage"] ?? "").trim();
    this.hasToasts = composite["toasts"] !== false;
    this.changed.emit();
  }
}
