import { InputError } from '@whylight/core';
import { describe, expect, it } from 'vitest';
import { questionFor } from './questions.ts';

describe('What options ask of several methods', () => {
  const all = ['grad-cam', 'integrated-gradients'];
  const options = { param: { n_steps: '20', normalized: 'false' }, layer: ['last'] };

  it('is of each what it has: parameters, and layers where it looks at one', () => {
    const [cam, gradients] = all.map((id) => questionFor(id, all, options));
    expect(cam).toMatchObject({ method: 'grad-cam', parameters: { normalized: false }, layers: ['last'] });
    expect(cam!.parameters).not.toHaveProperty('n_steps');
    expect(gradients).toMatchObject({ parameters: { n_steps: 20 }, layers: [] });
  });

  it('is refused where none of them has it', () => {
    const asked = { param: { steps: '20' } };
    expect(() => questionFor('grad-cam', all, asked)).toThrow('grad-cam has no parameter "steps"');
  });

  it('is all that is said where there is one method alone, so that it is said if it takes none', () => {
    const [id] = ['integrated-gradients'];
    expect(() => questionFor(id!, [id!], options)).toThrow(InputError);
    expect(() => questionFor(id!, [id!], { layer: ['last'] })).toThrow(/looks at no layer/);
  });

  it('holds target, convention and score too', () => {
    const target = { terms: [{ class_index: 281, weight: 1 }] };
    expect(
      questionFor('grad-cam', ['grad-cam'], { convention: 'captum', score: 'softmax', target }),
    ).toMatchObject({
      convention: 'captum',
      score: 'probability',
      target,
    });
  });
});
