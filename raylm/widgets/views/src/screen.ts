/** What a screen is: a function that fills an element from a store. Both shells, notebook and JupyterLab, call it. */
import type { Pace } from "./poll";
import type { Store } from "./store";

export interface Context {
  store: Store;
  /** Values the shell shares with the screen: the chosen run, the recipe to begin with. */
  shared: Shared;
  /** How often to ask, where the person has a wish. */
  pace?: Pace;
}

/** Small values that a shell keeps beside a screen (an anywidget's traits; a layout in JupyterLab). */
export interface Shared {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  /** Calls back on a change from outside; returns the function that ends it. */
  observe(name: string, callback: () => void): () => void;
}

/** Fills the element; returns the function that takes the screen down. */
export type Screen = (root: HTMLElement, context: Context) => () => void;
