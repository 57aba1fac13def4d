import type { Problem } from '@whylight/contract';
import { expect } from 'vitest';
import { published } from '../src/app.ts';
import { problemKinds } from '../src/problem-kinds.ts';
import type { ApiDocument, Operation } from '../src/published-document.ts';

export const api = published('http://gateway.test') as ApiDocument;

interface Documented {
  readonly method: string;
  readonly path: string;
  readonly pattern: RegExp;
  readonly operation: Operation;
}

const operations: Documented[] = Object.entries(api.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({
    method: method.toUpperCase(),
    path,
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
    operation,
  })),
);

export const operationIds = operations.map(({ operation }) => operation.operationId!);

export const operationOf = (id: string): Documented =>
  operations.find(({ operation }) => operation.operationId === id)!;

/** The operation that answers a path; undefined if the document has none. */
export const operationFor = (method: string, pathname: string): Operation | undefined =>
  operations.find((each) => each.method === method && each.pattern.test(pathname))?.operation;

/** L17: whatever a test provokes, the document lists its status and, of a refusal, its code. */
export function expectDocumented(method: string, path: string, { status }: Response, text: string): void {
  const { pathname } = new URL(path, 'http://gateway.test');
  const found = operations.find((each) => each.method === method && each.pattern.test(pathname));
  if (!found) return;
  const what = `${found.operation.operationId} ${status}`;
  expect(Object.keys(found.operation.responses), `${what}: ${text.slice(0, 200)}`).toContain(String(status));
  if (status < 400) return;
  const { code } = JSON.parse(text) as Problem;
  expect(found.operation.responses[status]!['x-problem-codes'], what).toContain(code);
  expect(problemKinds[code as 'internal'][0], code).toBe(status);
}
