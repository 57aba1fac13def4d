import { numericsVersion } from '@whylight/core/methods';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  explainable,
  factsOfRefused,
  type ModelRow,
  manifestOf,
  partBytes,
  partsOf,
  presentModel,
  sourceOf,
} from './model.ts';

const methods = fc.dictionary(
  fc.constantFrom('grad-cam', 'saliency', 'occlusion', 'lime'),
  fc.option(fc.string({ minLength: 1 })),
);
const factsOf = (found: Record<string, string | null>, notRun: Record<string, string>, version: string) =>
  ({
    ...{ preprocessing: 'sha256:p', classes: 3, input_shape: [3, 8, 8], layers: [], task: 'multiclass' },
    ...{ methods: found, not_run: notRun, numerics_version: version, deterministic: true },
  }) as unknown as NonNullable<ModelRow['facts']>;
const rowOf = (facts: ModelRow['facts']): ModelRow => ({
  ...{
    id: 'mdl_a',
    tenant: 'ten_a',
    name: 'mine',
    sha256: 'a'.repeat(64),
    content_length: 5,
    manifest_sha256: 'b',
  },
  ...{ object: 't/secret/m', upload_id: 'up_secret', status: facts ? 'ready' : 'validating', facts },
  ...{ report: null, error: null, created_at: '2026-11-23T12:00:00Z', manifest: manifestOf({} as never) },
});

test('the parts of an upload cover the file once, in order, and only the last one is smaller', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 * 2 ** 30 }), (bytes) => {
      const parts = partsOf(bytes);
      let end = 0;
      for (const [i, part] of parts.entries()) {
        expect([part.part_number, part.offset]).toEqual([i + 1, end]);
        if (i < parts.length - 1) expect(part.bytes).toBe(partBytes);
        expect(part.bytes).toBeGreaterThan(0);
        end += part.bytes;
      }
      expect(end).toBe(bytes);
    }),
  );
});

test('M6: every method that works is listed, and as not run until a worker of this release has run it', () => {
  fc.assert(
    fc.property(methods, methods, fc.constantFrom(numericsVersion, 'older', ''), (found, odd, version) => {
      const notRun = Object.fromEntries(
        Object.entries(odd).filter(([id, why]) => why && found[id] === null),
      ) as Record<string, string>;
      const shown = presentModel(rowOf(factsOf(found, notRun, version)));
      const working = Object.keys(found).filter((id) => found[id] === null);
      expect(shown.methods).toEqual(working);
      expect(shown.not_run).toEqual(version === numericsVersion ? Object.keys(notRun) : working);
    }),
  );
});

test('M6: on a model that this release refuses no method works, and each says why', () => {
  fc.assert(
    fc.property(methods, (found) => {
      const error = { code: 'model_unsupported_op', message: 'Loop is not read.' } as const;
      const refused = factsOfRefused(error, factsOf(found, {}, 'older'));
      const shown = presentModel(rowOf(refused));
      expect([shown.methods, shown.not_run]).toEqual([[], []]);
      const { methods: reasons } = explainable(rowOf(refused))!;
      expect(reasons).toEqual(Object.fromEntries(Object.keys(found).map((id) => [id, error.message])));
    }),
  );
});

test('a model is explained from when it is ready, under the digest of its bytes; where it lies is told to workers alone', () => {
  expect(explainable(rowOf(null))).toBeNull();
  const row = rowOf(factsOf({}, {}, numericsVersion));
  expect(explainable(row)).toMatchObject({ digest: `sha256:${row.sha256}`, own: true, default: false });
  expect(JSON.stringify([presentModel(row), explainable(row)])).not.toMatch(/secret|ten_a/);
  expect(sourceOf(row)).toMatchObject({ object: row.object, bytes: row.content_length });
});

test('labels have both languages, in order, however they were written', () => {
  const label = fc.oneof(
    fc.string(),
    fc.record({ en: fc.string() }),
    fc.record({ en: fc.string(), zh: fc.string() }),
  );
  fc.assert(
    fc.property(fc.array(label), (labels) => {
      const { labels: kept } = manifestOf({ labels } as never);
      expect(kept).toEqual(
        labels.map((each) => (typeof each === 'string' ? { en: each, zh: null } : { zh: null, ...each })),
      );
    }),
  );
});
