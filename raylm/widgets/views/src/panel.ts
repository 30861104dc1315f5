/** A screen as an anywidget: the model carries the store's requests and the shared values. */
import { kernelTransport, type WidgetModel } from "./kernel";
import type { Screen, Shared } from "./screen";
import { Store } from "./store";

export function panel(screen: Screen): {
  render(context: { model: WidgetModel; el: HTMLElement }): () => void;
} {
  return {
    render({ model, el }) {
      const { request, close } = kernelTransport(model);
      el.classList.add("raylm");
      el.addEventListener("keydown", keepPlainKeys);
      const takeDown = screen(el, { store: new Store(request), shared: traits(model) });
      return () => {
        takeDown();
        close();
      };
    },
  };
}

/** A notebook would take Enter on a button, or a letter on a checkbox, for a command on its cells. */
function keepPlainKeys(event: KeyboardEvent): void {
  const isPlain = !(event.ctrlKey || event.metaKey || event.altKey || event.shiftKey);
  if (isPlain && event.key !== "Escape") event.stopPropagation();
}

function traits(model: WidgetModel): Shared {
  return {
    get: (name) => model.get(name),
    set: (name, value) => {
      model.set(name, value);
      model.save_changes();
    },
    observe: (name, callback) => {
      model.on(`change:${name}`, callback);
      return () => model.off(`change:${name}`, callback);
    },
  };
}
