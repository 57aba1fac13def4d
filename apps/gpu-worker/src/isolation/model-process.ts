import { createRequire } from 'node:module';
import type { ModelManifest, Validation } from '@whylight/contract';
import {
  type Classification,
  type ExecutionProvider,
  errorOf,
  type PhotoExplanation,
  type PhotoRequest,
  RequestChannel,
  type Watch,
} from '@whylight/host';
import { type Ask, type Load, noticeSchema, type Value } from './messages.ts';
import { type Sandboxed, startSandboxed } from './sandbox.ts';

const script = createRequire(import.meta.url).resolve('#model-process');
/** Milliseconds in which work that is no longer wanted must end by itself, between two runs of the graph. */
const grace = 2000;
/** Characters at the end of the process's stderr that are kept for the log. */
const kept = 2000;

/** The process with the model has ended, or was ended. The message is safe to show. */
export class ProcessLostError extends Error {
  override readonly name = 'ProcessLostError';
  /** For the log: how the process ended, and its stderr. */
  readonly how: string;

  constructor(how: string) {
    super(
      'the process of the model has ended unexpectedly: it crashed, or needed more memory than a model gets',
    );
    this.how = how;
  }
}

export interface ModelBytes {
  readonly name: string;
  readonly sha256: string;
  readonly manifest: ModelManifest;
  readonly bytes: Uint8Array;
}

export interface ProcessSettings {
  readonly device: string;
  readonly ep: ExecutionProvider;
  readonly deviceId: number;
  readonly threads: number | undefined;
  /** Megabytes; see `startSandboxed`. */
  readonly megabytes: number;
  /** Called with how many graphs have run since the last call. */
  readonly onRuns?: (count: number) => void;
}

/** A process of its own for one tenant's model, which is in it and nowhere else. */
export class ModelProcess {
  /** Resolves when the process is gone. */
  readonly exited: Promise<string>;
  readonly #sandboxed: Sandboxed;
  readonly #settings: ProcessSettings;
  readonly #channel: RequestChannel<Ask, Value, unknown>;
  #runs = 0;
  #rss: number;
  #said = '';

  private constructor(sandboxed: Sandboxed, size: number, settings: ProcessSettings) {
    this.#sandboxed = sandboxed;
    this.#settings = settings;
    this.#rss = size;
    this.exited = sandboxed.exited;
    const { child, exited } = sandboxed;
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-kept);
    });
    // A process that is ending takes no message: its exit then closes the channel, and says how it ended.
    this.#channel = new RequestChannel((message) => child.send(message, () => {}), errorOf);
    child.on('message', (message) => this.#channel.receive(message));
    void exited.then((how) => this.#channel.close(new ProcessLostError(`${how}: ${this.#said}`)));
  }

  /**
   * Starts the process and gives it the model, whose digest it checks.
   *
   * @throws InputError when the bytes are others or the manifest is wrong. @throws ProcessLostError
   */
  static async start(
    { name, sha256, manifest, bytes }: ModelBytes,
    settings: ProcessSettings,
    signal?: AbortSignal,
  ): Promise<ModelProcess> {
    const { device, ep, deviceId, threads, megabytes } = settings;
    const held = new ModelProcess(await startSandboxed(script, { megabytes }), bytes.byteLength, settings);
    try {
      held.#sandboxed.child.stdin!.end(bytes);
      const load: Load = { op: 'load', name, sha256, manifest, device, ep, deviceId, threads };
      await held.#ask(load, { signal });
      return held;
    } catch (error) {
      await held.close();
      throw error;
    }
  }

  /** Bytes of memory that it takes, as it last said. */
  get rss(): number {
    return this.#rss;
  }

  get lost(): boolean {
    return this.#channel.isClosed;
  }

  /** @throws InputError, DeviceError, ProcessLostError. @throws the signal's reason once it is aborted */
  explain(request: Omit<PhotoRequest, 'model'>, watch: Watch = {}): Promise<PhotoExplanation> {
    return this.#ask({ op: 'explain', request, state: watch.state }, watch) as Promise<PhotoExplanation>;
  }

  /** The `count` highest scores. @throws as `explain` does */
  classify(photo: Uint8Array, count: number, signal: AbortSignal): Promise<Classification> {
    return this.#ask({ op: 'classify', photo, count }, { signal }) as Promise<Classification>;
  }

  /**
   * Examines the model for at most `budget` seconds. `onFound` gets what it finds on the way.
   *
   * @throws InputError for a model that is refused. @throws ProcessLostError
   */
  examine(budget: number, onFound: (found: unknown) => void, signal: AbortSignal): Promise<Validation> {
    return this.#ask({ op: 'examine', budget }, { signal, onFound }) as Promise<Validation>;
  }

  async warm(): Promise<void> {
    await this.#ask({ op: 'warm' });
  }

  /** Stops the process where it is, until `resume`. */
  pause(): void {
    if (this.#sandboxed.isTied) this.#sandboxed.child.kill('SIGSTOP');
  }

  resume(): void {
    this.#sandboxed.child.kill('SIGCONT');
  }

  /** Ends the process, whatever it does. */
  async close(): Promise<void> {
    this.#sandboxed.child.kill('SIGKILL');
    await this.exited;
  }

  /** Kills the process when `signal` is aborted and the work does not end by itself in time. */
  async #ask(
    ask: Ask,
    { signal, onProgress, onState, onFound }: Watch & { readonly onFound?: (found: unknown) => void } = {},
  ): Promise<Value> {
    signal?.throwIfAborted();
    const onNotice = (received: unknown) => {
      const notice = noticeSchema.safeParse(received).data;
      if (!notice) return;
      if ('progress' in notice) onProgress?.(...notice.progress);
      else if ('state' in notice) onState?.(notice.state);
      else if ('usage' in notice) this.#recordUsage(notice.usage);
      else onFound?.(notice.found);
    };
    let late: NodeJS.Timeout | undefined;
    const limit = () => {
      late = setTimeout(() => this.#sandboxed.child.kill('SIGKILL'), grace);
    };
    signal?.addEventListener('abort', limit, { once: true });
    try {
      const value = await this.#channel.request(ask, { signal, onNotice });
      signal?.throwIfAborted();
      return value;
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    } finally {
      clearTimeout(late);
      signal?.removeEventListener('abort', limit);
    }
  }

  #recordUsage({ runs, rss }: { runs: number; rss: number }): void {
    this.#rss = rss;
    this.#settings.onRuns?.(Math.max(runs - this.#runs, 0));
    this.#runs = runs;
  }
}
