import { z } from '@hono/zod-openapi';
import {
  explanationListSchema,
  explanationRequestSchema,
  explanationSchema,
  sha256Hex,
  traceparent,
} from '@whylight/contract';
import { cacheStatus } from '../domain/cache-status.ts';
import { cancelAfter, cancelAfterPattern } from '../domain/cancel-after.ts';
import { idempotencyKeyPattern } from '../domain/idempotency.ts';
import { refusalsOfJobs } from '../domain/job-refusal.ts';
import { longestWait, preferredWait } from '../domain/prefer.ts';
import { isTerminal } from '../domain/run.ts';
import { ageOfUrls } from '../domain/signed-links.ts';
import { answerPage, paged } from '../http/paging.ts';
import { wholeNumber } from '../http/query.ts';
import { deleted, json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { idempotent } from '../middleware/idempotent.ts';
import { measure } from '../timing.ts';
import { createExplanation } from '../use-cases/creation.ts';
import { deferExplanation } from '../use-cases/defer-explanation.ts';
import { answererOf, findExplanation, present, readExplanation } from '../use-cases/read-explanation.ts';
import { presentSigned, signExplanation, signStored } from '../use-cases/sign-links.ts';

export const explanations = routes('explanations');

const created = ['Location', 'Cache-Status', 'Preference-Applied', 'Idempotent-Replayed'] as const;

explanations.route('POST', '/v1/explanations', {
  id: 'explanations.create',
  access: 'explanations:write',
  refuses: refusalsOfJobs,
  middleware: idempotent('exp', ({ var: { services, caller } }, body) =>
    signStored(services, caller.tenant, body),
  ),
  summary: 'Create an explanation of what the classifier looked at',
  headers: {
    prefer:
      '`wait=n`: the service answers when the explanation has ended, or after n seconds; n is at most 60',
    'idempotency-key': {
      description:
        '1 to 255 characters of your choice; a request that repeats them within 24 hours gets the first answer again',
      pattern: idempotencyKeyPattern,
    },
    'cancel-after': {
      description: '`90s` or `1h30m`: the service cancels the explanation if it has not ended by then',
      pattern: cancelAfterPattern,
    },
    'cache-control': '`no-cache`: the service computes a known result again',
  },
  body: explanationRequestSchema,
  responses: {
    200: json(
      explanationSchema,
      'The explanation has ended: the service knew the result, or computed it within the preferred time',
      created,
    ),
    202: json(
      explanationSchema,
      'The explanation is under way; ask again at `Location`. Before the first worker has told which models there are, some members are null, and what a request is refused for otherwise ends the explanation as `failed`, with the same code',
      created,
    ),
  },
  handler: async ({ tenant, services, requestId, trace, newId, headers, body }, c) => {
    const creation = {
      id: newId,
      tenant,
      requestId,
      traceparent: traceparent(trace),
      asked: body,
      fresh: /(^|[\s,])no-cache($|[\s,])/i.test(headers['cache-control'] ?? ''),
      requestedAt: Date.now(),
      cancelAfter: cancelAfter(headers['cancel-after']),
    };
    const { row, admission } = await measure(c, 'cache', async () => {
      const create = (await services.catalogs.find()) ? createExplanation : deferExplanation;
      return create(services, creation);
    });
    c.set('subject', row.id);
    const wait = preferredWait(headers.prefer);
    const now = await measure(c, 'queue', () => readExplanation(services, row, wait ?? 0, admission.run));
    return {
      status: isTerminal(now.run) ? 200 : 202,
      headers: {
        Location: `/v1/explanations/${row.id}`,
        'Cache-Status': cacheStatus[admission.via],
        ...(wait === null ? {} : { 'Preference-Applied': `wait=${wait}` }),
      },
      body: await presentSigned(services, now),
    };
  },
});

explanations.route('GET', '/v1/explanations', {
  id: 'explanations.list',
  access: 'explanations:read',
  summary: 'List explanations, newest first',
  ...paged('exp', explanationListSchema, 'The body is a page of explanations'),
  handler: ({ tenant, services, query }) =>
    answerPage(
      'exp',
      query,
      (limit, after) => services.explanations.list(tenant, limit, after),
      async (row) => presentSigned(services, await readExplanation(services, row, 0)),
    ),
});

explanations.route('GET', '/v1/explanations/{id}', {
  id: 'explanations.get',
  access: 'explanations:read',
  summary: 'Get an explanation, or wait for it',
  query: z.object({ wait: wholeNumber(0, longestWait, 0).describe('Seconds to wait for the end') }),
  headers: { 'if-none-match': 'The `ETag` of an earlier answer' },
  responses: {
    200: json(explanationSchema, 'The body is the explanation in its present state', ['ETag']),
    304: {
      description:
        'The explanation has not changed, and the signed URLs of the answer with this `ETag` are good for two more minutes at least',
      headers: ['ETag'],
    },
  },
  handler: async ({ tenant, services, params, query, headers: asked }) => {
    const row = await findExplanation(services, tenant, params.id);
    const now = await readExplanation(services, row, query.wait);
    const explanation = present(now);
    const state = JSON.stringify(explanation) + ageOfUrls(explanation, Date.now());
    const tag = `"${(await sha256Hex(state)).slice(0, 32)}"`;
    const headers = { ETag: tag };
    if (asked['if-none-match']?.includes(tag)) return { status: 304, headers };
    return { status: 200, headers, body: await signExplanation(services, explanation, now) };
  },
});

explanations.route('POST', '/v1/explanations/{id}/cancel', {
  id: 'explanations.cancel',
  access: 'explanations:write',
  summary: 'Cancel an explanation; other explanations that wait for the same result still get it',
  responses: {
    200: json(explanationSchema, 'The explanation is canceled, or had ended before'),
    202: json(explanationSchema, 'The explanation is canceled; a worker is stopping the computation'),
  },
  handler: async ({ tenant, services, params }) => {
    const row = await findExplanation(services, tenant, params.id);
    const stopped = await answererOf(services, row).cancel(row.run, row.id);
    return {
      status: stopped ? 202 : 200,
      body: await presentSigned(services, await readExplanation(services, row, 0)),
    };
  },
});

explanations.route('DELETE', '/v1/explanations/{id}', {
  id: 'explanations.delete',
  access: 'explanations:write',
  refuses: ['storage_unavailable'],
  summary: 'Delete an explanation, and the result too if this explanation owns it',
  responses: deleted,
  handler: async ({ tenant, services, params }) => {
    const row = await findExplanation(services, tenant, params.id);
    await answererOf(services, row).erase(row.run, row.id);
    await services.explanations.delete(tenant, row.id);
    return { status: 204 };
  },
});
