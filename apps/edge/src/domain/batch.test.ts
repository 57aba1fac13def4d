import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BatchItem, type BatchState, isOver, presentBatch } from './batch.ts';

const error = { code: 'invalid_parameter', detail: 'No.', retryable: false, errors: [] } as never;
const statuses = ['queued', 'processing', 'succeeded', 'failed', 'canceled', 'aborted'] as const;
const items: fc.Arbitrary<BatchItem> = fc.oneof(
  fc.constant({ state: 'waiting', id: 'exp_w', asked: {} as never } as const),
  fc.constant({ state: 'refused', error } as const),
  fc.constant({ state: 'canceled' } as const),
  fc
    .constantFrom(...statuses)
    .map((status) => ({ state: 'made', id: 'exp_m', key: 'k', run: 1, status }) as const),
);
const batches = fc.record({
  ...{ id: fc.constant('bat_a'), tenant: fc.constant('ten_a'), requestId: fc.constant('req_a') },
  ...{
    createdAt: fc.nat(1e12),
    canceled: fc.boolean(),
    items: fc.array(items, { minLength: 1, maxLength: 100 }),
  },
});

const holds = (check: (state: BatchState) => void): void => fc.assert(fc.property(batches, check));

test('every item is counted once, under its status', () =>
  holds((state) => {
    const { counts, items: shown } = presentBatch(state);
    const { total, ...each } = counts;
    expect(total).toBe(state.items.length);
    expect(Object.values(each).reduce((sum, n) => sum + n)).toBe(total);
    for (const [status, count] of Object.entries(each))
      expect([status, count]).toEqual([status, shown.filter((item) => item.status === status).length]);
  }));

test('a batch ends with its last item and not before, as completed or canceled', () =>
  holds((state) => {
    const { status, counts } = presentBatch(state);
    const left = counts.waiting + counts.queued + counts.processing;
    expect(status).toBe(left > 0 ? 'processing' : state.canceled ? 'canceled' : 'completed');
    expect(state.items.filter((item) => !isOver(item))).toHaveLength(left);
  }));

test('items keep their order; those that have begun name their explanation, and those that were refused say why', () =>
  holds((state) => {
    for (const [i, item] of presentBatch(state).items.entries()) {
      const { state: is } = state.items[i]!;
      expect(item.index).toBe(i);
      expect([item.explanation !== null, item.error !== null]).toEqual([is === 'made', is === 'refused']);
    }
  }));
