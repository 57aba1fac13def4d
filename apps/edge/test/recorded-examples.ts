import { Validator } from '@cfworker/json-schema';
import { expect } from 'vitest';
import { api, operationOf } from './documented.ts';
import { bindings, call } from './gateway.ts';

export interface Example {
  readonly params?: Readonly<Record<string, string>>;
  readonly request?: unknown;
  readonly status: string;
  readonly answer?: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: the scenario reads bodies of every kind
type Body = any;

interface Sending {
  readonly key?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** Sends one request to each operation, checks it and its answer against the document, and keeps both. */
export class RecordedExamples {
  readonly #examples = new Map<string, Example>();
  readonly #names = new Map<string, string>();

  async send(
    id: string,
    { key, params = {}, query = {}, body, headers }: Sending = {},
  ): ReturnType<typeof call<Body>> {
    const { method, path, operation } = operationOf(id);
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name]!));
    const asked = Object.keys(query).length > 0 ? `?${new URLSearchParams(query)}` : '';
    for (const content of Object.values(operation.requestBody?.content ?? {}))
      conforms(body, content.schema, id);
    const answer = await call(method, `${filled}${asked}`, {
      ...(key === undefined ? {} : { key }),
      ...(body === undefined ? {} : { body }),
      ...(headers === undefined ? {} : { headers }),
    });
    const declared = operation.responses[answer.status]!;
    for (const content of Object.values(declared.content ?? {}))
      if (answer.body !== null) conforms(answer.body, content.schema, `${id}: the answer`);
    for (const name of Object.keys(declared.headers ?? {}))
      if (!sometimes.has(name)) expect(answer.headers.has(name), `${id}: the header ${name}`).toBe(true);
    const given = { ...params, ...query };
    this.#examples.set(id, {
      ...(Object.keys(given).length > 0 ? { params: given } : {}),
      ...(body === undefined ? {} : { request: body }),
      status: String(answer.status),
      ...(answer.text === '' ? {} : { answer: shortened(answer.body ?? answer.text) }),
    });
    return answer;
  }

  get ids(): string[] {
    return [...this.#examples.keys()];
  }

  /** The examples as JSON: the same at each run, since ids, times and addresses are replaced by fixed ones. */
  toJson(): string {
    const { RECEIVER_URL } = bindings as unknown as { RECEIVER_URL: string };
    const sorted = Object.fromEntries([...this.#examples].sort(([a], [b]) => (a < b ? -1 : 1)));
    const receiver = new RegExp(`${RECEIVER_URL}/hook/\\w+`, 'g');
    const text = JSON.stringify(sorted, replaceMeasured, 2)
      .replace(receiver, 'https://hooks.example.com/whylight')
      .replace(/http:\/\/127\.0\.0\.1[^"]*/g, 'https://store.example.com/whylight/photo?X-Amz-Signature=…')
      .replace(/wl_live_\w+/g, 'wl_live_…')
      .replace(/whsec_[\w+/=]+/g, 'whsec_…')
      .replace(/\b2[0-8]\d{2}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z/g, '2026-12-01T10:00:00.000Z')
      .replace(/"date": "[\d-]+"/g, '"date": "2026-12-01"')
      // The scenario waits by asking, so the count differs.
      .replace(/("date": "2026-12-01",\s+"requests": )\d+/g, (_, before: string) => `${before}40`)
      .replace(/\b(ten|key|upl|exp|mdl|evt|req|bat|whk)_[0-9A-HJKMNP-TV-Z]{26}/g, (id, prefix: string) =>
        this.#name(id, (n) => `${prefix}_01KBCQ5M00${String(n).padStart(16, '0')}`),
      )
      .replace(/\b[0-9a-f]{64}\b/g, (hash) =>
        this.#name(hash, (n) => (n * 7919 + 4096).toString(16).repeat(16).slice(0, 64)),
      );
    return `${text}\n`;
  }

  #name(found: string, nameOf: (n: number) => string): string {
    const name = this.#names.get(found) ?? nameOf(this.#names.size + 1);
    this.#names.set(found, name);
    return name;
  }
}

/** Headers that depend on the request. */
const sometimes = new Set([
  'X-Request-Id',
  'Idempotent-Replayed',
  'Preference-Applied',
  'Deprecation',
  'Retry-After',
  'Inference-Header-Content-Length',
]);

const replaceMeasured = (name: string, value: unknown): unknown =>
  /^(remaining|resets_in_seconds|queue_ms|etag)$/.test(name) && value !== null ? measured[name] : value;
const measured: Readonly<Record<string, unknown>> = {
  remaining: 590,
  resets_in_seconds: 42,
  queue_ms: 12,
  etag: 'd41d8cd98f00b204e9800998ecf8427e',
};

/** Lists are shown with two items. */
const shortened = (body: unknown): unknown =>
  typeof body === 'object' && body !== null && 'data' in body && Array.isArray(body.data)
    ? { ...body, data: body.data.slice(0, 2) }
    : body;

/** Fails unless the value is what this schema of the document describes. */
export function conforms(value: unknown, schema: object, what: string): void {
  const whole = { ...schema, components: api.components };
  const { valid, errors } = new Validator(whole as never, '2020-12', false).validate(value);
  const reasons = errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
  expect([what, valid, ...reasons]).toEqual([what, true]);
}
