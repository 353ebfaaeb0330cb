// Holds the model and tells who draws it.

import { next, type Happening, type Model } from "../core/model.ts";

export class Store {
  #model: Model;
  readonly #drawn = new Set<(model: Model) => void>();

  constructor(model: Model) {
    this.#model = model;
  }

  get model(): Model {
    return this.#model;
  }

  /** Let something change the model; everybody who draws it is told at once. */
  happened(happening: Happening): void {
    const before = this.#model;
    this.#model = next(before, happening);
    if (this.#model !== before) {
      this.#drawn.forEach((draw) => draw(this.#model));
    }
  }

  /** Call with every new model; returns what ends that. */
  watch(draw: (model: Model) => void): () => void {
    this.#drawn.add(draw);
    return () => this.#drawn.delete(draw);
  }
}
