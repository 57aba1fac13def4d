import { describe, expect, it } from 'vitest';
import { readClassifier } from './classifier.ts';
import { InputError } from './errors.ts';
import { compileExplainer } from './explainer.ts';
import { inspect } from './inspect.ts';
import { menagerie } from './testing/menagerie.ts';
import { damaged } from './testing/mutations.ts';

/** How far a model comes: `refused`, or `explained`; any exception but a refusal passes through. */
function outcome(bytes: Uint8Array): 'refused' | 'explained' {
  try {
    const report = inspect(bytes);
    if (report.unsupported.length > 0) return 'refused';
    compileExplainer(readClassifier(bytes), { method: 'saliency' });
    return 'explained';
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.message).toMatch(/^\P{Cc}{1,2000}$/u);
    return 'refused';
  }
}

describe('damaged models', () => {
  const models = menagerie();

  it('the models themselves are explained', () => {
    expect(models.map(outcome)).toEqual(models.map(() => 'explained'));
  });

  // a longer run: WHYLIGHT_FUZZ=1000000 npx vitest run --project core fuzz
  it('a thousand and a half are each explained or refused, and nothing else', { timeout: 0 }, () => {
    const inputs = Number(process.env.WHYLIGHT_FUZZ ?? 1500);
    const counts = { refused: 0, explained: 0 };
    for (let seed = 0; seed < inputs; seed++) {
      try {
        counts[outcome(damaged(models, seed))]++;
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    expect(counts.explained).toBeGreaterThan(inputs / 10); // or the damage would not get past the reader
    expect(counts.refused).toBeGreaterThan(inputs / 3);
  });
});
