import { expect, test } from 'vitest';
import { childOf, traceOf, traceparent } from './trace.ts';

const header = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

test('a valid header is followed, and written again as it was', () => {
  expect(traceparent(traceOf(header))).toBe(header);
  const child = childOf(traceOf(header));
  expect(child.traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
  expect(child.spanId).not.toBe('00f067aa0ba902b7');
});

test.each([
  null,
  '',
  'nonsense',
  header.toUpperCase(),
  header.replace(/^00/, 'ff'),
  header.replace(/4bf92f3577b34da6a3ce929d0e0e4736/, '0'.repeat(32)),
  header.replace(/00f067aa0ba902b7/, '0'.repeat(16)),
  `x${header}`,
])('%s begins a trace of its own', (wrong) => {
  const { traceId, spanId } = traceOf(wrong);
  expect(traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(spanId).toMatch(/^[0-9a-f]{16}$/);
  expect(traceId).not.toBe('4bf92f3577b34da6a3ce929d0e0e4736');
});

test('a later version is read as far as it is known', () => {
  expect(traceOf(`01${header.slice(2)}-more`).spanId).toBe('00f067aa0ba902b7');
});
