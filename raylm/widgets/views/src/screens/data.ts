/** The Data screen: the prepared datasets of the storages, or the data of a run; what is in one of them. */
import "../styles/base.css";
import "../styles/runs.css";
import "../styles/fields.css";
import "../styles/monitor.css";
import "../styles/data.css";
import { DatasetDesk } from "../data/desk";
import { DatasetPicker } from "../data/picker";
import type { DatasetPage, DatasetRow, Key } from "../data/types";
import { fill, h } from "../dom";
import { empty, loading, NoticePlace } from "../notice";
import { panel } from "../panel";
import { Poller, type Found } from "../poll";
import type { Context, Screen } from "../screen";
import type { StoreError } from "../store";

const NEXT =
  "A run prepares its data when it is launched: choose a recipe in Launch. " +
  "`raylm prepare RECIPE` in a terminal prepares it alone.";

export const dataScreen: Screen = (root, context) => {
  const screen = new DataScreen(root, context);
  return () => screen.close();
};

class DataScreen {
  private readonly notice: NoticePlace;
  private readonly picker: DatasetPicker;
  private readonly desk: DatasetDesk;
  private readonly body: HTMLElement;
  private readonly poller: Poller;
  private readonly clock = window.setInterval(() => this.desk.age(this.notice.cause), 1_000);
  private readonly endObserving: () => void;
  private key: Key | null;
  private rows: DatasetRow[] = [];

  constructor(
    root: HTMLElement,
    private readonly context: Context,
  ) {
    this.key = this.ofRun();
    this.picker = new DatasetPicker((dataset_id) => this.open({ dataset_id }));
    this.desk = new DatasetDesk(context.store);
    this.body = h("div", { class: "raylm-monitor", hidden: true }, this.picker.element, this.desk.element);
    this.notice = new NoticePlace(loading("Looking for prepared data …"), this.body);
    fill(root, [h("div", { class: "raylm-screen raylm-data" }, this.notice.element, this.body)]);
    this.endObserving = context.shared.observe("run_id", () => this.open(this.ofRun()));
    this.poller = new Poller(root, () => this.ask());
  }

  close(): void {
    window.clearInterval(this.clock);
    this.endObserving();
    this.poller.close();
    this.desk.close();
  }

  private ofRun(): Key | null {
    const run_id = (this.context.shared.get("run_id") as string) || null;
    return run_id === null ? null : { run_id };
  }

  private open(key: Key | null): void {
    this.key = key;
    this.picker.choose(key && "dataset_id" in key ? key.dataset_id : null);
    this.poller.wake();
  }

  private async ask(): Promise<Found> {
    try {
      const page = await this.context.store.get<DatasetPage>("datasets");
      const isChanged = this.picker.update(page);
      this.rows = page.rows;
      const first = page.rows[0];
      this.key ??= first ? { dataset_id: first.dataset_id } : null;
      this.notice.tell(this.key === null ? empty("No prepared data yet", NEXT) : null);
      const isNew = this.key !== null && (await this.refresh(this.key));
      this.notice.heard();
      return isChanged || isNew ? "changed" : "quiet";
    } catch (error) {
      return this.notice.lost(error as StoreError, () => this.poller.wake());
    }
  }

  /** True where something new is shown. */
  private async refresh(key: Key): Promise<boolean> {
    const id = "dataset_id" in key ? key.dataset_id : null;
    const row = this.rows.find(({ dataset_id }) => dataset_id === id);
    if (id !== null) this.picker.choose(id);
    const found = await this.desk.open(key, String(row?.prepared ?? ""));
    if (found === undefined || key !== this.key) return found !== undefined;
    this.picker.choose(found);
    return true;
  }
}

export default panel(dataScreen);
