import type { Engine, ModelChoice, Watch } from '../engine/engine.ts';
import { fetchPhoto, PhotoError, readPhoto } from '../photo/photo.ts';
import { first, isStale, type Look, questionNow, type Session, type Tile } from '../state/session.ts';
import type { Store } from '../state/store.ts';
import { Requests } from './requests.ts';

/** Methods that run the network so often at most start by themselves; the others wait for the user. */
const freeRuns = 60;

/** Does what the user asks for: reads photos and models, asks the engine, and puts the answers into the session. */
export class Workbench {
  readonly #store: Store;
  readonly #requests = new Requests();
  #engine: Engine | null = null;
  /** The number of the last photo. The first one is the recorded one. */
  #photos = first.photo;

  constructor(store: Store) {
    this.#store = store;
  }

  get #session(): Session {
    return this.#store.session;
  }

  /** Starts the engine and opens the default network; then the first photo is explained. */
  async start(startEngine: () => Promise<Engine>): Promise<void> {
    this.#store.change({ type: 'engine-loading', what: 'engine', part: null });
    try {
      const engine = await startEngine();
      this.#engine = engine;
      const { request, signal } = this.#requests.start('model');
      const onProgress = (part: number) =>
        this.#store.change({ type: 'engine-loading', what: 'model', part });
      onProgress(0);
      this.#store.change({ type: 'model-opening', request, part: 0 });
      const model = await engine.openModel('default', { signal, onProgress });
      this.#store.change({ type: 'model-opened', request, model });
      this.#store.change({ type: 'engine-ready', facts: engine.facts });
    } catch (error) {
      this.#store.change({ type: 'engine-failed', message: messageOf(error) });
      return;
    }
    await this.#answer();
  }

  /** Reads the photo of the recorded result, unless the user has chosen another one. */
  async chooseFirst(address: string): Promise<void> {
    if (this.#photos === first.photo) await this.#read(address, first.photo);
  }

  async choosePhoto(source: File | string): Promise<void> {
    await this.#read(source, ++this.#photos);
  }

  async #read(source: File | string, number: number): Promise<void> {
    const { request, signal } = this.#requests.start('photo');
    this.#store.change({ type: 'photo-reading', request });
    try {
      const file = typeof source === 'string' ? await fetchPhoto(source) : source;
      const photo = await readPhoto(file, number);
      if (signal.aborted) return;
      this.#stopTiles();
      this.#store.change({ type: 'photo-read', request, photo });
    } catch (error) {
      const failure =
        error instanceof PhotoError ? error : { fault: 'undecodable' as const, file: String(source) };
      this.#store.change({ type: 'photo-failed', request, failure });
      return;
    }
    await this.#answer();
  }

  async chooseModel(choice: ModelChoice): Promise<void> {
    const engine = this.#engine;
    if (!engine) return;
    const { request, signal } = this.#requests.start('model');
    const onProgress = (part: number) => this.#store.change({ type: 'model-opening', request, part });
    this.#store.change({ type: 'model-opening', request, part: null });
    const before = this.#session.model;
    // The engine answers in turn: a map of the model before would hold up this one.
    this.#stopTiles();
    try {
      const model = await engine.openModel(choice, { signal, onProgress });
      this.#store.change({ type: 'model-opened', request, model });
      if (before) await engine.closeModel(before);
    } catch (error) {
      this.#store.change({ type: 'model-failed', request, message: messageOf(error) });
      if (!signal.aborted) this.#explainCheap();
      return;
    }
    await this.#answer();
  }

  chooseTarget(target: number | null): void {
    this.#store.change({ type: 'target', target });
    this.#explainCheap();
  }

  changeLook(look: Partial<Look>): void {
    this.#store.change({ type: 'look', look });
  }

  addMethod(method: string): void {
    this.#store.change({ type: 'method-added', method });
    this.explain(method);
  }

  removeMethod(method: string): void {
    this.#requests.stop(`tile ${method}`);
    this.#store.change({ type: 'method-removed', method });
  }

  stop(method: string): void {
    this.#requests.stop(`tile ${method}`);
    this.#store.change({ type: 'tile-stopped', method });
  }

  /** Explains by every method whose picture does not answer the present question. */
  explainAll(): void {
    for (const tile of this.#session.tiles)
      if (this.#isOpen(tile) && tile.work.phase !== 'running') this.explain(tile.method);
  }

  explain(method: string): void {
    void this.#explain(method);
  }

  /** The explainer of a tile's result, as an ONNX file. */
  async compile(method: string): Promise<Uint8Array<ArrayBuffer>> {
    const { model, tiles } = this.#session;
    const shown = tiles.find((tile) => tile.method === method)?.shown;
    if (!this.#engine || !model || shown?.kind !== 'computed') throw new Error('There is no result yet.');
    const { signal } = this.#requests.start(`compile ${method}`);
    return this.#engine.compile(model, shown.result, { signal, onProgress: () => undefined });
  }

  /** Answers the present photo and model: its classes first, then the maps that cost little. */
  async #answer(): Promise<void> {
    const { photo, model } = this.#session;
    if (!this.#engine || !photo || !model) return;
    const { request, signal } = this.#requests.start('classes');
    this.#store.change({ type: 'classes-asked', request });
    try {
      const classes = await this.#engine.classify(photo, model, { signal, onProgress: () => undefined });
      const of = { photo: photo.number, model: model.id };
      this.#store.change({ type: 'classes-answered', request, of, classes });
    } catch (error) {
      this.#store.change({ type: 'classes-failed', request, message: messageOf(error) });
      return;
    }
    if (!signal.aborted) this.#explainCheap();
  }

  #explainCheap(): void {
    this.#stopTiles();
    const { model, tiles } = this.#session;
    const runs = new Map(model?.methods.map((facts) => [facts.id, facts.runs]));
    for (const tile of tiles) {
      if (this.#isOpen(tile) && (runs.get(tile.method) ?? Infinity) <= freeRuns) this.explain(tile.method);
    }
  }

  #stopTiles(): void {
    for (const { method, work } of this.#session.tiles) if (work.phase === 'running') this.stop(method);
  }

  #isOpen(tile: Tile): boolean {
    return tile.shown?.kind !== 'computed' || isStale(this.#session, tile);
  }

  async #explain(method: string): Promise<void> {
    const { photo, model, target } = this.#session;
    if (!this.#engine || !photo || !model) return;
    const question = questionNow(this.#session, method);
    const { request, signal } = this.#requests.start(`tile ${method}`);
    this.#store.change({ type: 'tile-asked', method, request });
    const watch: Watch = {
      signal,
      onProgress: (part) => this.#store.change({ type: 'tile-progress', method, request, part }),
    };
    try {
      const result = await this.#engine.explain({ photo, model, method, target }, watch);
      this.#store.change({ type: 'tile-answered', method, request, question, photo, result });
    } catch (error) {
      if (!signal.aborted)
        this.#store.change({ type: 'tile-failed', method, request, message: messageOf(error) });
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
