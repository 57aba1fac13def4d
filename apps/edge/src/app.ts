import { OpenAPIHono } from '@hono/zod-openapi';
import { KServeFault, UnknownMember } from '@whylight/contract/kserve';
import { nearestName } from '@whylight/core/methods';
import { HTTPException } from 'hono/http-exception';
import type { AppEnv } from './app-env.ts';
import { notFound, Refusal } from './domain/refusal.ts';
import { newId } from './domain/ulid.ts';
import { cors } from './middleware/cors.ts';
import { envelope } from './middleware/envelope.ts';
import { type KnownRoute, knownRoutes } from './middleware/known-routes.ts';
import { negotiation } from './middleware/negotiation.ts';
import { document } from './openapi.ts';
import { isOutage } from './outage.ts';
import { problem } from './problem.ts';
import { publishedDocument } from './published-document.ts';
import { artifacts } from './routes/artifacts.ts';
import { audit } from './routes/audit.ts';
import { batches } from './routes/batches.ts';
import { docs } from './routes/docs.ts';
import { events } from './routes/events.ts';
import { explanations } from './routes/explanations.ts';
import { health } from './routes/health.ts';
import { internal } from './routes/internal.ts';
import { keys } from './routes/keys.ts';
import { kserve } from './routes/kserve.ts';
import { limits } from './routes/limits.ts';
import { methodRoutes } from './routes/methods.ts';
import { metrics } from './routes/metrics.ts';
import { modelRoutes } from './routes/models.ts';
import { operator } from './routes/operator.ts';
import { page } from './routes/page.ts';
import { predictions } from './routes/predictions.ts';
import { renderings } from './routes/renderings.ts';
import { uploads } from './routes/uploads.ts';
import { vertex } from './routes/vertex.ts';
import { webhooks } from './routes/webhooks.ts';
import { services } from './services.ts';

export const app = new OpenAPIHono<AppEnv>();

app.use(cors);
app.use(envelope);
app.use(knownRoutes(listRoutes));
app.use('/v1/*', negotiation);
for (const path of ['/v1/*', '/internal/*', '/metrics'])
  app.use(path, async (c, next) => {
    c.set('services', services(c.env));
    await next();
  });

for (const { app: group } of [
  uploads,
  explanations,
  events,
  artifacts,
  renderings,
  predictions,
  batches,
  webhooks,
  kserve,
  vertex,
  modelRoutes,
  methodRoutes,
  keys,
  limits,
  audit,
  operator,
  internal,
  metrics,
  health,
  docs,
  page,
])
  app.route('/', group);

app.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', {
  type: 'http',
  scheme: 'bearer',
  description: 'An API key: `wl_live_…`',
});
app.openAPIRegistry.registerComponent('securitySchemes', 'operatorKey', { type: 'http', scheme: 'bearer' });
app.openAPIRegistry.registerComponent('securitySchemes', 'backlogKey', {
  type: 'http',
  scheme: 'bearer',
  description: 'The key of the scaler, or the key of the operator, opens the route',
});
app.openAPIRegistry.registerComponent('securitySchemes', 'workerSignature', {
  type: 'apiKey',
  in: 'header',
  name: 'Whylight-Signature',
});
app.openAPIRegistry.registerPath({
  method: 'get',
  path: '/openapi.json',
  tags: ['documentation'],
  summary: 'Get the API’s OpenAPI document',
  responses: { 200: { description: 'The body is this document' } },
});
app.get('/openapi.json', (c) => c.json(published(c.env.PUBLIC_URL)));

const documents = new Map<string, object>();
/** The document for clients. It takes some milliseconds to build, so an isolate keeps it. */
export function published(server = '/'): object {
  const known = documents.get(server);
  if (known) return known;
  const built = publishedDocument(app.getOpenAPI31Document(document), server);
  documents.set(server, built);
  return built;
}

app.notFound(() => {
  throw notFound();
});
app.onError((error, c) => {
  const requestId = c.get('requestId') ?? newId('req');
  const refusal = asRefusal(error);
  if (refusal.code === 'internal' || isOutage(error))
    console.error(`${requestId}: ${c.req.method} ${c.req.path}:`, error);
  const response = problem(refusal, requestId, c.req.path);
  for (const name of ['Allow', 'RateLimit', 'RateLimit-Policy']) {
    const value = c.res.headers.get(name);
    if (value) response.headers.set(name, value);
  }
  return response;
});

/** Hono itself refuses only a body that it cannot read; of any other error the caller sees no details. */
function asRefusal(error: Error): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof HTTPException && error.status === 400)
    return new Refusal('invalid_json', 'The gateway cannot read the body.');
  if (error instanceof UnknownMember)
    return new Refusal('unknown_field', error.messageWith(nearestName(error.member, error.known)));
  if (error instanceof KServeFault)
    return new Refusal(error.status === 413 ? 'payload_too_large' : 'invalid_parameter', error.message);
  if (isOutage(error)) return new Refusal('capacity', 'A part of this service does not answer. Try again.');
  return new Refusal('internal', 'The service failed. Give its operator the request id to find out why.');
}

function listRoutes(): KnownRoute[] {
  return app.openAPIRegistry.definitions.flatMap((definition) =>
    definition.type === 'route' ? [{ method: definition.route.method, path: definition.route.path }] : [],
  );
}
