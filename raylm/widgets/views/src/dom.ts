/** Elements from plain values. Every text goes through textContent after cleaning; there is no way to pass HTML. */
import { clean, cleanLines } from "./text";

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>;

/** `h("button", {class: "raylm-button", onclick}, "Stop")`; an attribute false, null or undefined is left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else setAttribute(element, name, value);
  }
  fill(element, children);
  return element;
}

/** Attributes whose text a person reads or hears. */
const READ = new Set(["title", "placeholder", "aria-label"]);

/** Set, or for false, null and undefined remove, one attribute; writes only a change, so nothing flickers. */
export function setAttribute(
  element: Element,
  name: string,
  value: string | number | boolean | null | undefined,
) {
  if (value === false || value === null || value === undefined) return element.removeAttribute(name);
  const text = value === true ? "" : READ.has(name) ? clean(value) : String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Replace what an element shows. */
export function fill(element: Element, children: Child[]): void {
  element.replaceChildren(...children.filter(isShown).map(toNode));
}

/** Change an element's text only where it differs, so that selections and live regions stay quiet. */
export function setText(element: Element, text: unknown): void {
  const shown = clean(text);
  if (element.textContent !== shown) element.textContent = shown;
}

/** Add text of several lines at the end; what stands there is left as it is, also where it is selected. */
export function addText(element: Element, text: unknown): void {
  element.append(document.createTextNode(cleanLines(text)));
}

export function show(element: HTMLElement, isVisible: boolean): void {
  if (element.hidden === isVisible) element.hidden = !isVisible;
}

let lastId = 0;

/** An id no other element of the page has, also when a screen is displayed twice. */
export function uniqueId(name: string): string {
  lastId += 1;
  return `raylm-${name}-${lastId}-${Math.random().toString(36).slice(2, 7)}`;
}

function isShown(child: Child): child is Node | string {
  return child !== null && child !== undefined && child !== false;
}

function toNode(child: Node | string): Node {
  return typeof child === "string" ? document.createTextNode(clean(child)) : child;
}

/**
 * Scrolls an element into view once it is shown: a long form before it may have left the page far below it.
 */
export function bringIntoView(element: HTMLElement): void {
  const observer = new ResizeObserver(() => {
    if (element.offsetHeight === 0) return; // its tab is not in front yet
    observer.disconnect();
    element.scrollIntoView({ block: "nearest" });
  });
  observer.observe(element);
}
