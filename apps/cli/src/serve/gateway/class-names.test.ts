import { describe, expect, test } from 'vitest';
import { withFirstNames } from './class-names.ts';

const keysOf = (
  classes: Record<string, string>,
  migrations: Parameters<typeof withFirstNames>[2],
): Record<string, string> => {
  const options = Object.entries(classes).map(([binding, className]) => [binding, { className }] as const);
  const named = withFirstNames('whylight', Object.fromEntries(options), migrations);
  return Object.fromEntries(
    Object.entries(named).map(([binding, { unsafeUniqueKey: key }]) => [binding, key]),
  );
};

describe('the storage key of a class of Durable Objects', () => {
  test('is what Miniflare makes of its name, as long as it has kept that', () => {
    expect(keysOf({ BATCH: 'Batch' }, [{}, { renamed_classes: [{ from: 'A', to: 'B' }] }])).toEqual({
      BATCH: 'whylight-Batch',
    });
  });

  test('stays that of its first name, however often it is renamed', () => {
    const migrations = [
      { renamed_classes: [{ from: 'A', to: 'B' }] },
      { renamed_classes: [{ from: 'B', to: 'C' }] },
    ];
    expect(keysOf({ LETTER: 'C' }, migrations)).toEqual({ LETTER: 'whylight-A' });
  });
});
