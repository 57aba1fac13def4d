import type { ProblemCode } from '@whylight/contract';
import { problemKinds } from '../problem-kinds.ts';
import { headersOf, type ResponseHeader } from '../response-headers.ts';
import { type Access, isScope } from './access.ts';
import { problemContent } from './responses.ts';

/** What decides which refusals a route shares with others. */
export interface Traits {
  readonly access: Access;
  readonly path: string;
  readonly hasBody: boolean;
  readonly query: readonly string[];
  readonly headers: readonly string[];
  /** Refusals of its own. */
  readonly refuses: readonly ProblemCode[];
}

/** Lists the codes of every problem that a route can answer. */
function codesOf({ access, path, hasBody, query, headers, refuses }: Traits): Set<ProblemCode> {
  const isVersioned = path.startsWith('/v1/');
  const codes: [boolean, ...ProblemCode[]][] = [
    [true, 'internal', 'capacity', 'not_configured', ...refuses],
    [isVersioned, 'unknown_field', 'invalid_version', 'not_acceptable'],
    [access !== 'public', 'missing_api_key', 'malformed_api_key', 'invalid_api_key', 'too_many_bad_keys'],
    [isScope(access), 'insufficient_scope', 'tenant_suspended', 'rate_limited'],
    [path.includes('{'), 'resource_not_found'],
    [hasBody, 'invalid_json', 'invalid_parameter', 'payload_too_large', 'unsupported_media_type'],
    [query.length > 0, 'invalid_parameter'],
    [query.includes('starting_after'), 'invalid_cursor'],
    [headers.includes('idempotency-key'), 'idempotency_in_progress', 'idempotency_key_reused'],
  ];
  return new Set(codes.flatMap(([applies, ...some]) => (applies ? some : [])));
}

/** Headers of a refusal, by status; each also has the route's own. */
const headersOfStatus: Readonly<Record<number, readonly ResponseHeader[]>> = {
  401: ['WWW-Authenticate'],
  409: ['Retry-After'],
  429: ['Retry-After'],
  503: ['Retry-After'],
};

/** The declaration of each status with which a route refuses, with the codes of its problems. */
export function refusalsOf(traits: Traits, common: readonly ResponseHeader[]) {
  const byStatus = Map.groupBy([...codesOf(traits)].sort(), (code) => problemKinds[code][0]);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${problemKinds[code][1]}`).join('. '),
        headers: headersOf([...common, ...(headersOfStatus[status] ?? [])]),
        content: problemContent(traits.path),
        'x-problem-codes': codes,
      },
    ]),
  );
}
