/** The curve as the page holds it: one row a step, the newest attempt winning. */
import type { MetricRecord } from "../types";

const MOST_ROWS = 8_000;

export class Series {
  rows: MetricRecord[] = [];
  private attempt = 0;

  /** Take in records in the order the store gives them; true where something changed. */
  add(records: MetricRecord[]): boolean {
    for (const record of records) this.take(record);
    if (this.rows.length > MOST_ROWS) this.rows = thinned(this.rows);
    return records.length > 0;
  }

  /** The newest value of a metric, or null where it was never recorded. */
  latest(metric: string): number | null {
    for (let index = this.rows.length - 1; index >= 0; index -= 1) {
      const value = this.rows[index]?.[metric];
      if (value !== null && value !== undefined) return value;
    }
    return null;
  }

  column(metric: string): (number | null)[] {
    return this.rows.map((row) => row[metric] ?? null);
  }

  private take(record: MetricRecord): void {
    if (record.attempt < this.attempt) return; // an old writer, fenced off
    if (record.attempt > this.attempt) {
      // A restart at step s replaces what earlier attempts wrote from s on.
      this.attempt = record.attempt;
      this.rows = this.rows.filter(({ step }) => step < record.step);
    }
    const last = this.rows.at(-1);
    if (last && last.step === record.step) Object.assign(last, record);
    else if (!last || last.step < record.step) this.rows.push({ ...record });
  }
}

/** Every second row of the older half goes, except those with an evaluation. */
function thinned(rows: MetricRecord[]): MetricRecord[] {
  const half = Math.floor(rows.length / 2);
  return rows.filter(
    (row, index) => index >= half || index % 2 === 0 || typeof row["eval/loss"] === "number",
  );
}

/** Exponential moving average without the bias towards its start (Kingma and Ba 2015, section 3). */
export function smoothed(values: (number | null)[], weight: number): (number | null)[] {
  let sum = 0;
  let total = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return sum / total;
  });
}

/** Seconds to the last step at the pace of the newest rows, or null where no pace is known. */
export function secondsLeft(rows: MetricRecord[], maxSteps: number | null): number | null {
  const last = rows.at(-1);
  const first = rows.at(-Math.min(rows.length, 30));
  if (!last || !first || !maxSteps || last.step <= first.step || last.attempt !== first.attempt) return null;
  return ((last.time - first.time) / (last.step - first.step)) * Math.max(0, maxSteps - last.step);
}
