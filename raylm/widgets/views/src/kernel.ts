/** The kernel transport: requests as custom messages of a widget, answered by id. The other one is REST. */
import { refusal, type Answer } from "./answer";
import { StoreError, type Request } from "./store";

/** The part of an anywidget model that the transport and the panels use. */
export interface WidgetModel {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown): void;
  on(event: string, callback: (...args: any[]) => void): void;
  off(event: string, callback: (...args: any[]) => void): void;
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: StoreError): void;
  timer: number;
}

const SILENT = new StoreError(
  "The kernel does not answer.",
  "It may be busy, restarted or gone: run the cell with raylm.cockpit() again. Runs go on without it.",
  true,
);

/** A request function over the model's messages, and a function that ends it. */
export function kernelTransport(model: WidgetModel): { request: Request; close: () => void } {
  const waiting = new Map<string, Waiting>();
  const prefix = Math.random().toString(36).slice(2);
  let sent = 0;

  const onMessage = (answer: Answer & { id: string }): void => {
    const waiter = waiting.get(answer?.id);
    if (!waiter) return; // an answer for another view of the same widget, or one that came too late
    waiting.delete(answer.id);
    window.clearTimeout(waiter.timer);
    if (answer.error) waiter.reject(refusal(answer.error));
    else waiter.resolve(answer.result);
  };
  model.on("msg:custom", onMessage);

  const request: Request = (method, args, timeoutSeconds) =>
    new Promise((resolve, reject) => {
      const id = `${prefix}-${(sent += 1)}`;
      const giveUp = (): void => {
        waiting.delete(id);
        reject(SILENT);
      };
      waiting.set(id, { resolve, reject, timer: window.setTimeout(giveUp, timeoutSeconds * 1000) });
      try {
        model.send({ id, method, args });
      } catch {
        giveUp(); // the comm is closed: the kernel was restarted or shut down
      }
    });

  return { request, close: () => model.off("msg:custom", onMessage) };
}
