import {
  type Artifact,
  type JobError,
  jobErrorCodes,
  ownStyle,
  type Result,
  type Warning,
} from '@whylight/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AskedRendering,
  afterFailure,
  isBelow,
  isLasting,
  mostRefusals,
  ownRendering,
  type Rendering,
  renderingPrefix,
  storedPrefix,
  withRendering,
} from './rendering.ts';
import type { Run, Submission } from './run.ts';
import { beginRun } from './transitions.ts';

const asked: AskedRendering = { run: 1, key: 'k', style: ownStyle(), tries: 0, refusals: 0, due: 0 };
const errorOf = (code: JobError['code']): JobError => ({ code, message: 'It failed.', retryable: true });
const passing = ['worker_unreachable', 'worker_crashed', 'deadline_exceeded', 'storage_unavailable'] as const;

/** What comes of a rendering whose tries fail with these codes, each tried when it is due. */
function tried(codes: readonly JobError['code'][]): {
  readonly tries: AskedRendering[];
  readonly end: JobError | null;
} {
  const tries = [asked];
  for (const code of codes) {
    const last = tries.at(-1)!;
    const next = afterFailure(last, errorOf(code), last.due);
    if ('code' in next) return { tries, end: next };
    tries.push(next);
  }
  return { tries, end: null };
}

describe('L9: a rendering that is asked for', () => {
  test('L9: never fails because of workers, however many of them fail, in whatever way', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...passing), { maxLength: 300 }), (codes) => {
        const { tries, end } = tried(codes);
        expect([end, tries.at(-1)!.tries]).toEqual([null, codes.length]);
      }),
    );
  });

  test('L9: ends at the last refusal that is allowed, or at one that lasts, and at no try before', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...jobErrorCodes), { maxLength: 60 }), (codes) => {
        const { tries, end } = tried(codes);
        const isOwn = (code: JobError['code']) => !passing.some((each) => each === code);
        const lasting = codes.findIndex((code) => isLasting(errorOf(code)));
        const refused = codes.flatMap((code, i) => (isOwn(code) ? [i] : []))[mostRefusals - 1] ?? -1;
        const last = Math.min(...[lasting, refused].map((i) => (i < 0 ? Infinity : i)));
        expect(end?.code ?? null).toBe(codes[last] ?? null);
        expect(tries).toHaveLength(Math.min(last, codes.length) + 1);
      }),
    );
  });

  test('waits longer from try to try, a second at first and half a minute at most', () => {
    const { tries } = tried(Array.from({ length: 40 }, () => 'worker_unreachable'));
    const pauses = tries.slice(1).map(({ due }, i) => due - tries[i]!.due);
    expect(pauses[0]).toBe(1_000);
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
    expect(pauses.at(-1)).toBe(30_000);
  });
});

const artifact = (name: Artifact['name'], prefix: string): Artifact => ({
  ...{ name, object: prefix + name, sha256: '0'.repeat(64), bytes: 1 },
  content_type: name.endsWith('png') ? 'image/png' : 'application/octet-stream',
});
const warnings = fc.array(
  fc.record({
    code: fc.constantFrom('label_in_english', 'font_incomplete', 'unsure', 'empty_map'),
    message: fc.string({ maxLength: 3 }),
  }),
);
const finished = (own: Warning[]): Run => {
  const submission = { key: 'a'.repeat(64), tenant: 'ten_a', style: ownStyle() } as unknown as Submission;
  return {
    ...beginRun(null, submission, 0),
    ...{ status: 'succeeded', completedAt: 1, result: { warnings: own } as unknown as Result },
    artifacts: (['overlay.png', 'heatmap.png', 'attribution.npy', 'result.json'] as const).map((name) =>
      artifact(name, 'own/'),
    ),
  };
};
const renderingOf = (theirs: Warning[]): Rendering => ({
  ...{ key: 'k', renderedAt: 2, pinned: true, warnings: theirs },
  artifacts: [artifact('overlay.png', 'other/'), artifact('heatmap.png', 'other/')],
});

describe('pictures in another style', () => {
  test('replace the pictures and their warnings, and nothing of the attribution', () => {
    fc.assert(
      fc.property(warnings, warnings, (own, theirs) => {
        const run = finished(own);
        const shown = withRendering(run, renderingOf(theirs));
        expect(shown.artifacts.map(({ object }) => object)).toEqual([
          ...['other/overlay.png', 'other/heatmap.png', 'own/attribution.npy', 'own/result.json'],
        ]);
        const ofPictures = ({ code }: Warning) => code === 'label_in_english' || code === 'font_incomplete';
        expect(shown.result!.warnings).toEqual([...own.filter((each) => !ofPictures(each)), ...theirs]);
      }),
    );
  });

  test('and back: with its own rendering a run is what it was', () => {
    fc.assert(
      fc.property(warnings, warnings, (own, theirs) => {
        const run = finished(own);
        const back = withRendering(withRendering(run, renderingOf(theirs)), ownRendering(run).rendering);
        expect(back.artifacts).toEqual(run.artifacts);
        const sorted = (of: Run) => of.result!.warnings.map((each) => JSON.stringify(each)).toSorted();
        const others = theirs.filter(({ code }) => code === 'unsure' || code === 'empty_map');
        expect(sorted(back)).toEqual(
          [...sorted(run), ...others.map((each) => JSON.stringify(each))].toSorted(),
        );
      }),
    );
  });

  test('lie below the run’s own and can be found again from any of them; those elsewhere are not its', () => {
    const run = finished([]);
    const prefix = `${renderingPrefix(run, 'k'.repeat(64))}nonce/`;
    const written = {
      artifacts: [artifact('overlay.png', prefix), artifact('heatmap.png', prefix)],
      warnings: [],
    };
    expect(storedPrefix(written)).toBe(prefix);
    expect(isBelow(written, prefix)).toBe(true);
    for (const wrong of [`${prefix}x/`, prefix.replace('ten_a', 'ten_b'), ''])
      expect(
        isBelow({ ...written, artifacts: [written.artifacts[0]!, artifact('heatmap.png', wrong)] }, prefix),
      ).toBe(false);
  });
});
