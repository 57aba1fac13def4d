import { problemCodes } from '@whylight/contract';
import { methods } from '@whylight/core/methods';
import { describe, expect, test } from 'vitest';
import { problemTable } from '../src/problem-kinds.ts';
import { call } from './gateway.ts';
import { conforms } from './recorded-examples.ts';

declare global {
  interface ImportMeta {
    /** Of Vite: the files' texts, by path. The call is replaced while the test is built. */
    glob(pattern: string, options: { query: '?raw'; import: 'default'; eager: true }): Record<string, string>;
  }
}

const { body: api } = await call('GET', '/openapi.json');
interface Operation {
  readonly operationId: string;
  readonly tags: string[];
  readonly description: string;
  readonly security: Record<string, string[]>[];
  readonly requestBody?: { content: Record<string, { example?: unknown }> };
  readonly responses: Record<string, { headers: object; content?: Record<string, { example?: unknown }> }>;
}
const operations = Object.values<Record<string, Operation>>(api.paths).flatMap(Object.values) as Operation[];

describe('L17: the published document', () => {
  test('names each operation once, as resource.verb, under a tag with a text', () => {
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z]+\.[a-z][A-Za-z]+$/);
    const described = api.tags.filter(({ description }: { description: string }) => description.length > 10);
    const used = new Set(operations.flatMap(({ tags }) => tags));
    expect([...used].sort()).toEqual(described.map(({ name }: { name: string }) => name).sort());
  });

  test('says of each operation who may call it, and which headers its answers have', () => {
    for (const { operationId, security, responses } of operations) {
      expect([operationId, Array.isArray(security)]).toEqual([operationId, true]);
      for (const { headers } of Object.values(responses))
        expect(Object.keys(headers)).toContain('Request-Id');
      expect([operationId, Object.keys(responses['503']!.headers)]).toEqual([
        operationId,
        expect.arrayContaining(['Retry-After']),
      ]);
    }
  });

  test('has an example of each body and of one answer', () => {
    for (const { operationId, requestBody, responses } of operations) {
      for (const { example } of Object.values(requestBody?.content ?? {}))
        expect([operationId, example]).not.toEqual([operationId, undefined]);
      const answers = Object.values(responses).flatMap(({ content }) => Object.values(content ?? {}));
      const isEmpty = Object.keys(responses).includes('204') && !Object.keys(responses).includes('200');
      expect([operationId, isEmpty || answers.some(({ example }) => example !== undefined)]).toEqual([
        operationId,
        true,
      ]);
    }
  });

  test('names no defaults in answers: a generated client would give a member a value that no answer has', () => {
    const seen = new Set<string>();
    const read = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      const { $ref, default: value } = node as { $ref?: string; default?: unknown };
      expect(value).toBeUndefined();
      if ($ref?.startsWith('#/components/schemas/') && !seen.has($ref)) {
        seen.add($ref);
        read(api.components.schemas[$ref.split('/').at(-1)!]);
      }
      for (const [name, part] of Object.entries(node)) if (name !== 'properties') read(part);
      for (const part of Object.values((node as { properties?: object }).properties ?? {})) read(part);
    };
    for (const { responses } of operations)
      for (const { content } of Object.values(responses))
        for (const { schema } of Object.values(content ?? {}) as { schema?: unknown }[]) read(schema);
    expect([...seen]).toContain('#/components/schemas/AnsweredVisualization');
  });

  test('lists every problem code and every method of this release, and says that answers may have more', () => {
    const { ProblemCode, MethodId, AnsweredMethodId } = api.components.schemas;
    expect(ProblemCode.anyOf).toEqual([{ type: 'string', enum: [...problemCodes] }, { type: 'string' }]);
    expect(MethodId.enum).toEqual(methods.map(({ id }) => id));
    expect(AnsweredMethodId.anyOf).toEqual([{ $ref: '#/components/schemas/MethodId' }, { type: 'string' }]);
    const of = (name: string) => ({ $ref: `#/components/schemas/${name}` });
    conforms('a method of tomorrow', of('AnsweredMethodId'), 'an answer');
    expect(() => conforms('a method of tomorrow', of('MethodId'), 'a request')).toThrow();
  });

  test.each([
    ['UploadRequest', { content_type: 'text/html', content_length: 1, sha256: '0'.repeat(64) }],
    ['UploadRequest', { content_type: 'image/png', content_length: 26_214_401, sha256: '0'.repeat(64) }],
    ['WebhookEndpointRequest', { url: 'http://example.com/' }],
    ['WebhookEndpointRequest', { url: 'https://user@example.com/' }],
    ['Preprocessing', { pad_color: [] }],
    ['Preprocessing', { size: [1, 2, 3] }],
    ['Preprocessing', { mean: [] }],
    ['KeyRequest', { name: '   ' }],
    ['KeyRequest', { name: 'a\u0000b' }],
    ['ExplanationRequest', { input: { upload: 'upl_0' }, method: 'grad-cam', metadata: { '': 'x' } }],
    ['ExplanationRequest', { input: { upload: 'upl_0' }, method: 'nothing' }],
    ['TargetRequest', { type: 'class', index: 1, label: 'cat' }],
    ['TargetRequest', { terms: [{ class_index: 1, weight: 0 }] }],
  ])('%s does not allow what the service refuses: %j', (name, value) => {
    expect(() => conforms(value, { $ref: `#/components/schemas/${name}` }, name)).toThrow();
  });

  test('docs/problems.md has its table of problems', () => {
    const [page] = Object.values(
      import.meta.glob('../../../docs/problems.md', { query: '?raw', import: 'default', eager: true }),
    );
    expect(page).toContain(problemTable());
    expect(api.info.description).toContain(problemTable());
  });
});
