/** A canvas does not follow CSS: read the theme's colours from the body, and again when the theme changes. */

export interface Palette {
  text: string;
  muted: string;
  grid: string;
  train: string;
  evaluate: string;
  surface: string;
  /** One colour a place among the runs of a chart. */
  runs: string[];
  gap: string;
}

// Of JupyterLab's own colours those that a theme keeps legible on its ground and far from each other.
const RUNS = [
  "--jp-brand-color1",
  "--jp-warn-color1",
  "--jp-success-color1",
  "--jp-error-color1",
  "--jp-mirror-editor-operator-color",
  "--jp-info-color1",
  "--jp-mirror-editor-comment-color",
  "--jp-ui-font-color2",
];

export function palette(): Palette {
  const style = getComputedStyle(document.body);
  const read = (name: string): string => style.getPropertyValue(name).trim() || "gray";
  return {
    text: read("--jp-ui-font-color1"),
    muted: read("--jp-ui-font-color2"),
    grid: read("--jp-border-color2"),
    train: read("--jp-brand-color1"),
    evaluate: read("--jp-warn-color1"),
    surface: read("--jp-layout-color1"),
    runs: RUNS.map(read),
    gap: read("--jp-error-color1"),
  };
}

/** Calls back after each change of theme; returns the function that ends it. */
export function onThemeChange(callback: () => void): () => void {
  // The attribute changes before the new style sheet applies, so wait for a painted frame.
  const observer = new MutationObserver(() => requestAnimationFrame(() => requestAnimationFrame(callback)));
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name"] });
  return () => observer.disconnect();
}
