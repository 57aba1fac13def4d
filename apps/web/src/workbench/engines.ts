import type { Engine, ModelCard } from '../engine/engine.ts';

export type Place = 'tab' | 'service';

interface Started {
  readonly engine: Engine;
  /** The model that is open in it. */
  readonly model: ModelCard | null;
}

/** The engines that have been started, and which of them answers. Each keeps its model while the other answers. */
export class Engines {
  readonly #started = new Map<Place, Started>();
  place: Place = 'tab';

  get current(): Engine | null {
    return this.#started.get(this.place)?.engine ?? null;
  }

  at(place: Place): Started | undefined {
    return this.#started.get(place);
  }

  keep(engine: Engine, model: ModelCard | null = null): void {
    this.#started.set(engine.facts.place, { engine, model });
  }
}
