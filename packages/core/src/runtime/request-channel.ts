// Requests to another thread or process, and its answers. The two ends know only how to send each other messages.

import { deferred } from './deferred.ts';

type Call<Request> =
  | { readonly id: number; readonly request: Request }
  | { readonly id: number; readonly abort: true };

type Reply<Answer, Notice> =
  | { readonly id: number; readonly value: Answer }
  /** The error as `encodeError` returned it: an error loses its class in a message. */
  | { readonly id: number; readonly failure: unknown }
  | { readonly id: number; readonly notice: Notice };

interface Pending<Answer, Notice> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly onNotice: ((notice: Notice) => void) | undefined;
}

export interface RequestOptions<Notice> {
  /** Tells the other end that nobody wants the answer any more; the request then still gets the other end's answer. */
  readonly signal?: AbortSignal | undefined;
  /** Receives the notices that the other end sends before it answers. */
  readonly onNotice?: ((notice: Notice) => void) | undefined;
}

/** The end that sends requests. Any number of requests may be pending; answers come in any order. */
export class RequestChannel<Request, Answer, Notice = never> {
  readonly #send: (message: Call<Request>) => void;
  readonly #decodeError: (failure: unknown) => Error;
  readonly #pending = new Map<number, Pending<Answer, Notice>>();
  #requests = 0;
  #closed: Error | undefined;

  constructor(send: (message: Call<Request>) => void, decodeError: (failure: unknown) => Error) {
    this.#send = send;
    this.#decodeError = decodeError;
  }

  /** Number of requests that have no answer yet. */
  get pending(): number {
    return this.#pending.size;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** @throws the error that the other end has thrown. @throws the channel's error once it is closed */
  async request(request: Request, { signal, onNotice }: RequestOptions<Notice> = {}): Promise<Answer> {
    if (this.#closed) throw this.#closed;
    const id = ++this.#requests;
    const { promise, resolve, reject } = deferred<Answer>();
    const abort = () => this.#send({ id, abort: true });
    this.#send({ id, request });
    this.#pending.set(id, { resolve, reject, onNotice });
    signal?.addEventListener('abort', abort, { once: true });
    return promise.finally(() => signal?.removeEventListener('abort', abort));
  }

  /** Takes a message from the other end. Ignores any that is not a reply: the other end may be a foreign process. */
  receive(message: unknown): void {
    if (typeof message !== 'object' || message === null || !('id' in message)) return;
    const reply = message as Reply<Answer, Notice>;
    const pending = this.#pending.get(reply.id);
    if (!pending) return;
    if ('notice' in reply) {
      pending.onNotice?.(reply.notice);
      return;
    }
    this.#pending.delete(reply.id);
    if ('failure' in reply) pending.reject(this.#decodeError(reply.failure));
    else pending.resolve(reply.value);
  }

  /** Closes the channel if the other end is gone or must not be asked any more: all requests fail with `error`. */
  close(error: Error): void {
    this.#closed ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#closed);
    this.#pending.clear();
  }
}

export interface Exchange<Notice> {
  /** Aborted when nobody wants the answer any more. */
  readonly signal: AbortSignal;
  /** Sends a notice before the answer. */
  readonly notify: (notice: Notice) => void;
}

/** Answers requests. @returns a function that takes the other end's messages and ignores those that are not requests */
export function answerRequests<Request, Answer, Notice = never>(
  send: (message: Reply<Answer, Notice>) => void,
  answer: (request: Request, exchange: Exchange<Notice>) => Promise<Answer>,
  encodeError: (error: unknown) => unknown,
): (message: unknown) => void {
  const underWay = new Map<number, AbortController>();
  return async (message) => {
    if (typeof message !== 'object' || message === null || !('id' in message)) return;
    const call = message as Call<Request>;
    const { id } = call;
    if ('abort' in call) return underWay.get(id)?.abort();
    const controller = new AbortController();
    underWay.set(id, controller);
    const exchange = { signal: controller.signal, notify: (notice: Notice) => send({ id, notice }) };
    const reply = await answer(call.request, exchange).then(
      (value) => ({ id, value }),
      (error: unknown) => ({ id, failure: encodeError(error) }),
    );
    underWay.delete(id);
    send(reply);
  };
}
