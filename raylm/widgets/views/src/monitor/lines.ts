/** The lines of a chart: which curves of which runs, how each is drawn, and where its points lie. */
import type { Palette } from "../theme";
import type { Point } from "../types";
import type { Entry } from "./curves";
import { measureOf, partOf } from "./measures";

export type Axis = "step" | "tokens" | "seconds";
export const AXES: Record<Axis, { title: string; index: 0 | 1 | 2 }> = {
  step: { title: "Step", index: 0 },
  tokens: { title: "Tokens", index: 1 },
  seconds: { title: "Time", index: 2 },
};

/** One dash pattern a place among the runs, so that colour is not all that tells them apart. */
const DASHES: number[][] = [
  [],
  [9, 4],
  [2, 3],
  [10, 3, 2, 3],
  [5, 3],
  [14, 4, 4, 4],
  [2, 6],
  [7, 2, 2, 2, 2, 2],
];

export interface Line {
  entry: Entry;
  key: string;
  /** "train", "eval": which of the measure's curves. */
  part: string;
  points: Point[];
  /** Whether its points are so few that each is marked. */
  isMarked: boolean;
}

/** The curves of one measure, of all runs. */
export function linesOf(entries: Entry[], measure: string): Line[] {
  return entries.flatMap((entry) =>
    entry.series.keys
      .filter((key) => measureOf(key) === measure)
      .map((key) => ({
        entry,
        key,
        part: partOf(key),
        points: entry.series.points(key),
        isMarked: partOf(key) === "eval",
      })),
  );
}

/** A run alone has a second colour for its evaluation; among others each run has one. */
export function strokeOf(line: Line, isAlone: boolean, colours: Palette): { stroke: string; dash: number[] } {
  if (isAlone && line.isMarked) return { stroke: colours.evaluate, dash: [5, 4] };
  const slot = line.entry.slot % DASHES.length;
  return { stroke: colours.runs[slot] ?? colours.train, dash: isAlone ? [] : (DASHES[slot] ?? []) };
}

/** Runs of one name are told apart by the end of their ids. */
export function nameOf(entry: Entry, all: Entry[]): string {
  const isShared = all.some(({ name, runId }) => name === entry.name && runId !== entry.runId);
  return isShared ? `${entry.name} ${entry.runId.slice(-4)}` : entry.name;
}
