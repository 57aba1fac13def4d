import { cpu } from '@whylight/core/testing';
import { describe, expect, it } from 'vitest';
import { disagreement } from './agreement.ts';
import { groupsOf, measure, models, realAvailable } from './real.ts';

const all = process.env.WHYLIGHT_PARITY === 'all';
const extent = all
  ? 'every recorded call'
  : 'one photo and target, quick calls; all with WHYLIGHT_PARITY=all';
const skipped = realAvailable ? '' : ' (skipped: no reference vectors at hand)';

describe.skipIf(!realAvailable).each(models)(`On %s and real photos, ${extent}${skipped}`, (model) => {
  for (const group of realAvailable ? groupsOf(model, all) : [])
    it(`${group.name} agrees`, { timeout: 600_000 }, async () => {
      for (const { photo, target, found, tolerance, rest } of await measure(group, cpu)) {
        const where = `${photo}, class ${target}`;
        expect(disagreement(found, tolerance), where).toBeNull();
        expect(rest, `${where}: the part that is not stored`).toBeLessThan(1e-2);
      }
    });
});
