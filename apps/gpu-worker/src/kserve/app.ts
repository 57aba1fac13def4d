import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { KServe, Variables } from './app-context.ts';
import { carriesKey } from './key.ts';
import { largestBody } from './limits.ts';
import type { OpenRequests } from './open-requests.ts';
import { Refusal, refusalOf } from './refusal.ts';
import type { ServedModel } from './served-model.ts';
import { v1Routes } from './v1.ts';
import { v2Routes } from './v2.ts';

export interface LoneAppSettings {
  /** Key that requests to the model must carry; undefined: everybody may send them. */
  readonly key: string | undefined;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly requests: OpenRequests;
  /** The model once it is loaded and has run. */
  readonly served: () => ServedModel | undefined;
  /** Gets every error that nobody foresaw, so that the worker notices a lost device. */
  readonly onError: (error: unknown) => void;
  readonly version: string;
}

/** Creates the HTTP side of a lone worker: KServe's V1 and V2, and the routes for tools that watch processes. */
export function createLoneApp(settings: LoneAppSettings): Hono<Variables> {
  const { key, metrics, log, requests, version } = settings;
  const served = () => (requests.isClosed ? undefined : settings.served());
  const named = (name: string): ServedModel => {
    const model = settings.served();
    if (model === undefined) throw new Refusal(503, 'the model is being loaded: ask again soon');
    if (model.name === name) return model;
    throw new Refusal(
      404,
      `there is no model ${JSON.stringify(name.slice(0, 80))}; this worker serves ${model.name}`,
    );
  };
  const checkReady = (name: string) => {
    named(name);
    if (requests.isClosed) throw stopping();
  };
  const kserve: KServe = { version, served, named, checkReady };

  const guarded: MiddlewareHandler = async (c, next) => {
    if (key !== undefined && !carriesKey(c.req.header('Authorization'), key)) {
      c.header('WWW-Authenticate', 'Bearer');
      throw new Refusal(401, 'expected the header Authorization: Bearer KEY with the key of this worker');
    }
    return next();
  };
  const limited = bodyLimit({
    maxSize: largestBody,
    onError: () => {
      throw tooLarge();
    },
  });
  const bounded: MiddlewareHandler<Variables> = async (c, next) => {
    if (c.req.method !== 'POST') return next();
    const type = c.req.header('Content-Type') ?? 'none';
    // A page of another origin cannot send these types without a CORS preflight.
    if (!/^application\/(json|octet-stream)\s*(;|$)/i.test(type))
      throw new Refusal(415, `Content-Type: expected application/json; got ${type.slice(0, 80)}`);
    const coding = c.req.header('Content-Encoding') ?? 'identity';
    if (coding !== 'identity')
      throw new Refusal(415, `Content-Encoding: expected none; got ${coding.slice(0, 40)}`);
    if (requests.isClosed) throw stopping();
    if (requests.isFull) throw new Refusal(503, 'too many requests are open: send the request again');
    return requests.run(c.req.raw.signal, (signal) => {
      c.set('signal', signal);
      return limited(c, async () => {
        // Read to its end before anything is refused: a sender that is still writing may not see the answer.
        c.set('body', new Uint8Array(await c.req.arrayBuffer()));
        await next();
      });
    });
  };

  return new Hono<Variables>({ strict: false })
    .get('/', (c) => c.json({ status: 'alive' }))
    .get('/livez', (c) => c.text('ok'))
    .get('/readyz', (c) => (served() ? c.text('ok') : c.text('not ready', 503)))
    .get('/metrics', async (c) => {
      metrics.ready.set(served() ? 1 : 0);
      return c.text(await metrics.registry.metrics(), 200, { 'Content-Type': metrics.registry.contentType });
    })
    .use('/v1/*', guarded, bounded)
    .use('/v2/models/*', guarded, bounded)
    .use('/v2/models', guarded)
    .route('/v1', v1Routes(kserve))
    .route('/v2', v2Routes(kserve))
    .notFound((c) =>
      c.json({ error: 'no such path: expected /v1/models, /v2, /v2/health/ready, /v2/models/NAME' }, 404),
    )
    .onError((error, c) => {
      settings.onError(error);
      const refusal =
        refusalOf(error) ?? new Refusal(500, 'the worker failed on this request; its log says why');
      // If the sender is gone, nobody reads the answer.
      if (refusal.status === 500 && !c.req.raw.signal.aborted) log('request_failed', { cause: error.stack });
      if (refusal.status === 503) c.header('Retry-After', '2');
      // If nobody has read the body, more of it may come on this connection.
      if (c.req.method === 'POST' && c.var.body === undefined) c.header('Connection', 'close');
      return c.json({ error: refusal.message }, refusal.status);
    });
}

const tooLarge = (): Refusal =>
  new Refusal(
    413,
    `the body: expected at most ${largestBody} bytes (64 MiB); send fewer images, or tensors in the binary form`,
  );

const stopping = (): Refusal => new Refusal(503, 'the worker is stopping: send the request again');
