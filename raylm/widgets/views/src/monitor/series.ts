/** A run's curve as the page holds it: for each metric its points, in order. */
import type { History, Point } from "../types";

const MOST_POINTS = 6_000;
const PACE_POINTS = 30;

export class Series {
  private readonly curves = new Map<string, Point[]>();
  /** Behind what was read; null: ask for the whole. */
  cursor: string | null = null;
  step = 0;
  isBehind = false;
  isRead = false;

  get keys(): string[] {
    return [...this.curves.keys()];
  }

  /** Take in an answer of the store; true where something changed. */
  take(answer: History): boolean {
    const isNew = answer.is_whole || Object.keys(answer.points).length > 0;
    if (answer.is_whole) this.curves.clear();
    let longest = 0;
    for (const [key, points] of Object.entries(answer.points)) {
      const curve = this.curves.get(key) ?? [];
      for (const point of points) curve.push(point);
      this.curves.set(key, curve);
      longest = Math.max(longest, curve.length);
    }
    // Too long to draw: the whole, asked for again, comes reduced.
    this.cursor = longest > MOST_POINTS ? null : answer.cursor;
    this.step = answer.step;
    this.isBehind = answer.is_behind;
    this.isRead = true;
    return isNew;
  }

  points(key: string): Point[] {
    return this.curves.get(key) ?? [];
  }

  /** The newest value of a metric, or null where it was never recorded. */
  latest(key: string): number | null {
    return this.points(key).findLast(([, , , value]) => value !== null)?.[3] ?? null;
  }

  /** The metric that most steps have. */
  densest(): Point[] {
    return [...this.curves.values()].reduce<Point[]>(
      (one, other) => (other.length > one.length ? other : one),
      [],
    );
  }
}

/** Exponential moving average without the bias towards its start (Kingma and Ba 2015, section 3). */
export function smoothed(points: Point[], weight: number): (number | null)[] {
  let sum = 0;
  let total = 0;
  return points.map(([, , , value, mean]) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * (mean ?? value);
    total = weight * total + (1 - weight);
    return sum / total;
  });
}

/** Seconds to the last step at the pace of the newest steps, or null where no pace is known. */
export function secondsLeft(series: Series, maxSteps: number | null): number | null {
  const points = series.densest();
  const last = points.at(-1);
  const first = points.at(-Math.min(points.length, PACE_POINTS));
  if (!last || !first || !maxSteps || last[0] <= first[0]) return null;
  return ((last[2] - first[2]) / (last[0] - first[0])) * Math.max(0, maxSteps - last[0]);
}
