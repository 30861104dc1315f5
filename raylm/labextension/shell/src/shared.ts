/** The values that the screens of one cockpit share: the chosen run, for one. */
import type { Shared } from "./views";

export class SharedValues implements Shared {
  private readonly values = new Map<string, unknown>();
  private readonly observers = new Map<string, Set<() => void>>();

  get(name: string): unknown {
    return this.values.get(name) ?? "";
  }

  set(name: string, value: unknown): void {
    if (this.values.get(name) === value) return;
    this.values.set(name, value);
    for (const callback of [...(this.observers.get(name) ?? [])]) callback();
  }

  observe(name: string, callback: () => void): () => void {
    const observers = this.observers.get(name) ?? new Set();
    this.observers.set(name, observers.add(callback));
    return () => observers.delete(callback);
  }
}
