import type { Judgement } from '@whylight/web';
import { type Engine, KeyError, type ModelChoice, type Watch } from '../engine/engine.ts';
import { fetchPhoto, PhotoError, readPhoto } from '../photo/photo.ts';
import {
  first,
  isStale,
  type Look,
  questionNow,
  type Session,
  type Shown,
  type Tile,
} from '../state/session.ts';
import type { Store } from '../state/store.ts';
import { Engines, type Place } from './engines.ts';
import { Requests } from './requests.ts';

/** Methods that run the network so often at most start by themselves; the others wait for the user. */
const freeRuns = 60;

type Computed = Extract<Shown, { readonly kind: 'computed' }>;

/** How engines are started: the page's own, or doubles in tests. */
export interface Starts {
  readonly tab: () => Promise<Engine>;
  readonly service: (url: string, key: string) => Promise<Engine>;
}

/** Does what the user asks for: reads photos and models, asks the engine, and puts the answers into the session. */
export class Workbench {
  readonly #store: Store;
  readonly #starts: Starts;
  readonly #requests = new Requests();
  readonly #engines = new Engines();
  /** The tab's engine while it starts: it starts once. */
  #tab: Promise<Engine> | null = null;
  /** The number of the last photo. The first one is the recorded one. */
  #photos = first.photo;

  constructor(store: Store, starts: Starts) {
    this.#store = store;
    this.#starts = starts;
  }

  get #session(): Session {
    return this.#store.session;
  }

  get #engine(): Engine | null {
    return this.#engines.current;
  }

  /** Has the engine of this tab answer, which is started at the first time. */
  async useTab(): Promise<void> {
    await this.#use('tab', () => (this.#tab ??= this.#starts.tab()));
  }

  /** Has the service answer, if it takes the key. */
  async useService(key: string): Promise<void> {
    const { service } = this.#session;
    if (!service) return;
    const { request, signal } = this.#requests.start('key');
    this.#store.change({ type: 'key-checking', request });
    try {
      const engine = await this.#starts.service(service.url, key);
      if (signal.aborted) return;
      this.#engines.keep(engine);
      this.#store.change({ type: 'key-accepted', request });
    } catch (error) {
      const isKey = error instanceof KeyError;
      this.#store.change({ type: 'key-failed', request, isKey, message: messageOf(error) });
      return;
    }
    await this.useServiceAgain();
  }

  /** Has the service answer, with the key that it took before. */
  async useServiceAgain(): Promise<void> {
    const started = this.#engines.at('service');
    if (started) await this.#use('service', async () => started.engine);
  }

  /** Has an engine answer, and opens its default network, unless it has one open: then the photo is explained. */
  async #use(place: Place, start: () => Promise<Engine>): Promise<void> {
    const { request, signal } = this.#requests.start('model');
    this.#stopTiles();
    this.#engines.place = place;
    this.#store.change({ type: 'engine-loading', what: 'engine', part: null });
    try {
      const engine = this.#engines.at(place)?.engine ?? (await start());
      if (!this.#engines.at(place)) this.#engines.keep(engine);
      const onProgress = (part: number) => {
        if (!signal.aborted) this.#store.change({ type: 'engine-loading', what: 'model', part });
      };
      onProgress(0);
      if (!signal.aborted) this.#store.change({ type: 'model-opening', request, part: 0 });
      const model =
        this.#engines.at(place)?.model ?? (await engine.openModel('default', { signal, onProgress }));
      this.#engines.keep(engine, model);
      if (signal.aborted) return;
      this.#store.change({ type: 'model-opened', request, model });
      this.#store.change({ type: 'engine-ready', facts: engine.facts });
    } catch (error) {
      if (!signal.aborted) this.#store.change({ type: 'engine-failed', message: messageOf(error) });
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
      this.#engines.keep(engine, model);
      this.#store.change({ type: 'model-opened', request, model });
      if (before) await engine.closeModel(before);
    } catch (error) {
      this.#expired(error);
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

  /** How the score changes while pixels go in the order of a result's map, and by chance. */
  async judge({ photo, result }: Computed, watch: Watch): Promise<Judgement> {
    const { model } = this.#session;
    const judge = this.#engine?.judge;
    if (!judge || !model) throw new Error('This engine cannot test maps.');
    return judge(photo, model, result, watch);
  }

  /** The explainer of a tile's result, as an ONNX file. */
  async compile(method: string): Promise<Uint8Array<ArrayBuffer>> {
    const { model, tiles } = this.#session;
    const shown = tiles.find((tile) => tile.method === method)?.shown;
    const compile = this.#engine?.compile;
    if (!compile || !model || shown?.kind !== 'computed') throw new Error('There is no result yet.');
    const { signal } = this.#requests.start(`compile ${method}`);
    return compile(model, shown.result, { signal, onProgress: () => undefined });
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
      this.#expired(error);
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
      onReach: (isReached) => this.#store.change({ type: 'tile-reached', method, request, isReached }),
    };
    try {
      const result = await this.#engine.explain({ photo, model, method, target }, watch);
      this.#store.change({ type: 'tile-answered', method, request, question, photo, result });
    } catch (error) {
      this.#expired(error);
      if (!signal.aborted)
        this.#store.change({ type: 'tile-failed', method, request, message: messageOf(error) });
    }
  }

  /** A key can end while it is used: then the page asks for another one, in place. */
  #expired(error: unknown): void {
    if (error instanceof KeyError) this.#store.change({ type: 'key-expired', message: error.message });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
