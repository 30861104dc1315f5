/** The live curves: a uPlot canvas in the theme's colours, with a name that says in words what it shows. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { h, setAttribute } from "../dom";
import { duration, measure as plain, short } from "../text";
import { onThemeChange, palette, type Palette } from "../theme";
import { Legend } from "./legend";
import { AXES, nameOf, strokeOf, type Axis, type Line } from "./lines";
import { formatOf, titleOf } from "./measures";
import { smoothed } from "./series";

export interface ChartOptions {
  isLog: boolean;
  isLogAxis: boolean;
  smoothing: number;
  axis: Axis;
  measure: string;
}

type Column = (number | null | undefined)[];

const HEIGHT = 260;
// Whole ones: there is no step two and a half.
const COUNTS = [...Array(15).keys()].flatMap((power) => [1, 2, 5].map((one) => one * 10 ** power));
const SECONDS = [1, 2, 5, 10, 15, 30];
const TIME_STEPS = [
  ...SECONDS,
  ...SECONDS.map((one) => one * 60),
  ...[1, 2, 3, 6, 12, 24, 48, 96, 240, 480, 960].map((one) => one * 3600),
];

export class Chart {
  private readonly canvas = h("div", {
    class: "raylm-canvas",
    role: "img",
    "aria-label": "Chart: no value yet",
  });
  private readonly legend: Legend;
  readonly element: HTMLElement;
  private plot: uPlot | null = null;
  private lines: Line[] = [];
  private data: Column[] = [[]];
  private shape = "";
  private shown: string | null = null;
  private readonly endTheme = onThemeChange(() => this.rename());
  private readonly resizes = new ResizeObserver(() => this.resize());

  constructor(
    private options: ChartOptions,
    remove: (runId: string) => void,
  ) {
    this.legend = new Legend(remove);
    this.element = h("div", { class: "raylm-chart" }, this.legend.element, this.canvas);
    this.resizes.observe(this.canvas);
  }

  /** Draw the lines; the run that is `shown` cannot be taken out. */
  update(lines: Line[], shown: string | null, options: ChartOptions): void {
    this.options = { ...options };
    this.lines = lines;
    this.shown = shown;
    this.data = aligned(lines, options);
    setAttribute(this.canvas, "aria-label", description(lines, options.measure));
    const names = lines.map(({ entry, key }) => [entry.runId, entry.name, entry.slot, key]);
    const shape = JSON.stringify([shown, options, names]);
    if (shape !== this.shape) this.rename();
    else if (!this.plot) this.rebuild();
    else this.plot.setData(this.data as uPlot.AlignedData);
    this.shape = shape;
    this.say(null);
  }

  close(): void {
    this.endTheme();
    this.resizes.disconnect();
    this.plot?.destroy();
  }

  private rename(): void {
    this.legend.name(this.lines, this.shown, palette());
    this.rebuild();
    this.say(null);
  }

  private rebuild(): void {
    this.plot?.destroy();
    this.plot = null;
    if (this.canvas.clientWidth === 0) return; // not on the page yet: the resize that follows draws
    this.plot = new uPlot(this.plotOptions(palette()), this.data as uPlot.AlignedData, this.canvas);
  }

  private resize(): void {
    if (!this.plot) this.rebuild();
    else if (this.canvas.clientWidth > 0)
      this.plot.setSize({ width: this.canvas.clientWidth, height: HEIGHT });
  }

  private plotOptions(colours: Palette): uPlot.Options {
    const font = `11px ${getComputedStyle(this.canvas).fontFamily}`;
    const { isLog, isLogAxis, axis } = this.options;
    const format = formatOf(this.options.measure);
    const common = {
      stroke: colours.muted,
      font,
      grid: { stroke: colours.grid, width: 0.5 },
      ticks: { show: false },
    };
    const said = (say: (value: number) => string) => (_: uPlot, splits: (number | null)[]) =>
      splits.map((split) => (split === null ? "" : say(split)));
    const places = axis === "seconds" ? { incrs: TIME_STEPS, space: 80 } : { incrs: COUNTS };
    return {
      width: this.canvas.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      padding: [8, 16, 0, 0],
      cursor: { y: false, points: { size: 6 } },
      scales: {
        x: { time: false, ...(isLogAxis ? { distr: 3 as const } : {}) },
        y: isLog ? { distr: 3 } : { range: padded },
      },
      axes: [
        { ...common, ...(isLogAxis ? {} : places), values: said(positionOf(axis)), size: 24 },
        { ...common, size: 60, values: said(format === plain ? tick : format) },
      ],
      series: [{}, ...this.lines.flatMap((line) => this.drawn(line, colours))],
      hooks: {
        setCursor: [(plot) => this.say(plot.cursor.idx ?? null)],
        draw: [(plot) => markGaps(plot, this.lines, axis, colours)],
      },
    };
  }

  /** A smoothed line has what was measured behind it, faint. */
  private drawn(line: Line, colours: Palette): uPlot.Series[] {
    const { stroke, dash } = strokeOf(line, isAlone(this.lines), colours);
    const points = { show: line.isMarked, size: 6, fill: colours.surface };
    if (!isSmooth(line, this.options)) return [{ stroke, dash, width: line.isMarked ? 1.5 : 1.75, points }];
    const faint = { stroke, alpha: 0.28, width: 1, points: { show: false } };
    return [faint, { stroke, dash, width: 1.75, points }];
  }

  /** The values under the cursor, or the newest ones. */
  private say(index: number | null): void {
    const format = formatOf(this.options.measure);
    let column = 0;
    const values = this.lines.map((line) => {
      column += isSmooth(line, this.options) ? 2 : 1;
      const values = this.data[column] as Column;
      const until = index === null ? values : values.slice(0, index + 1);
      const value = until.findLast((one) => one !== undefined);
      return value === null ? "gap" : value === undefined ? "–" : format(value);
    });
    const at = index === null ? null : this.data[0]?.[index];
    const { axis } = this.options;
    const where =
      at === null || at === undefined ? "" : `${AXES[axis].title.toLowerCase()} ${positionOf(axis)(at)}`;
    this.legend.say(values, where);
  }
}

function isAlone(lines: Line[]): boolean {
  return new Set(lines.map(({ entry }) => entry)).size < 2;
}

function isSmooth(line: Line, { smoothing }: ChartOptions): boolean {
  return smoothing > 0 && !line.isMarked;
}

/** Columns over one axis; a curve without a point there has undefined, which is no gap. */
function aligned(lines: Line[], options: ChartOptions): Column[] {
  const { index } = AXES[options.axis];
  const allowed = (value: number | null): number | null =>
    options.isLog && value !== null && value <= 0 ? null : value;
  const tables = lines.map((line) => {
    const isInside = (point: Line["points"][number]): boolean => !options.isLogAxis || point[index] > 0;
    const columns: Column[] = [line.points.map((point) => point[index])];
    columns.push(line.points.map(([, , , value]) => allowed(value)));
    if (isSmooth(line, options)) columns.push(smoothed(line.points, options.smoothing).map(allowed));
    const kept = line.points.flatMap((point, at) => (isInside(point) ? [at] : []));
    return columns.map((column) => kept.map((at) => column[at])) as unknown as uPlot.AlignedData;
  });
  return tables.length > 0 ? (uPlot.join(tables) as unknown as Column[]) : [[]];
}

/** A gap is a break in the line, which one of a thousand steps would hide: a small mark below it shows it. */
function markGaps(plot: uPlot, lines: Line[], axis: Axis, colours: Palette): void {
  const { ctx, bbox } = plot;
  const foot = bbox.top + bbox.height;
  const size = 5 * devicePixelRatio;
  ctx.save();
  ctx.fillStyle = colours.gap;
  for (const { points } of lines)
    for (const point of points) {
      if (point[3] !== null) continue;
      const x = plot.valToPos(point[AXES[axis].index], "x", true);
      ctx.beginPath();
      ctx.moveTo(x, foot - 2 * size);
      ctx.lineTo(x - size, foot);
      ctx.lineTo(x + size, foot);
      ctx.fill();
    }
  ctx.restore();
}

function description(lines: Line[], measure: string): string {
  const title = titleOf(measure);
  const head = `Chart of the ${title === "MFU" ? title : title.toLowerCase()}`;
  const entries = [...new Set(lines.map(({ entry }) => entry))];
  const told = entries.map((entry) => {
    const parts = lines.filter((line) => line.entry === entry).map((line) => latest(line, measure));
    const text = parts.filter(Boolean).join(", ") || "no value yet";
    return entries.length > 1 ? `${nameOf(entry, entries)}: ${text}` : text;
  });
  const runs = entries.length > 1 ? ` of ${entries.length} runs` : "";
  return `${head}${runs}: ${told.join("; ") || "no value yet"}`;
}

function latest(line: Line, measure: string): string {
  const last = line.points.findLast(([, , , value]) => value !== null);
  if (!last) return "";
  const gaps = line.points.filter(([, , , value]) => value === null).length;
  const value = `${line.part} ${formatOf(measure)(last[3] as number)} at step ${last[0]}`;
  return gaps > 0 ? `${value} (${gaps} ${gaps === 1 ? "gap" : "gaps"})` : value;
}

export function positionOf(axis: Axis): (value: number) => string {
  return axis === "seconds" ? duration : short;
}

function padded(_: uPlot, low: number, high: number): [number, number] {
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - room, high + room];
}

function tick(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 1e5 ? rounded.toExponential().replace("e+", "e") : String(rounded);
}
