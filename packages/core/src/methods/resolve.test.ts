import { describe, expect, it } from 'vitest';
import { InputError } from '../errors.ts';
import { methods } from './list.ts';
import { formulaParameters } from './parameters.ts';
import { paramsJsonSchema, resolveMethod, resolveQuestion } from './resolve.ts';

const refusal = (asked: Parameters<typeof resolveMethod>[0]): InputError => {
  try {
    resolveMethod(asked);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('it was accepted');
};

describe('A method asked for', () => {
  it('has all its parameters settled', () => {
    expect(resolveMethod({ method: 'integrated-gradients' })).toEqual({
      id: 'integrated-gradients',
      score: 'logit',
      version: '1',
      convention: 'paper',
      parameters: { n_steps: 50, quadrature: 'gausslegendre', baseline: 'zero', multiply_by_inputs: true },
    });
  });

  it.each(methods.flatMap((m) => m.conventions.map((convention) => [m.id, convention] as const)))(
    '%s under %s comes to the same with its defaults spelled and left out',
    (method, convention) => {
      const settled = resolveMethod({ method, convention });
      expect(resolveMethod({ method, convention, parameters: settled.parameters })).toEqual(settled);
      expect(Object.values(settled.parameters)).not.toContain(undefined);
    },
  );

  it('takes strings for numbers, lists, truth and names', () => {
    const { parameters } = resolveMethod({
      method: 'integrated-gradients',
      parameters: { n_steps: '20', quadrature: 'riemann_left', baseline: '0.5', multiply_by_inputs: 'false' },
    });
    expect(parameters).toEqual({
      n_steps: 20,
      quadrature: 'riemann_left',
      baseline: 0.5,
      multiply_by_inputs: false,
    });
    expect(
      resolveMethod({ method: 'integrated-gradients', parameters: { baseline: 'black' } }).parameters
        .baseline,
    ).toBe('black');
    expect(
      resolveMethod({
        method: 'occlusion',
        parameters: { sliding_window_shapes: '3,60,60', strides: '3,50,50' },
      }).parameters,
    ).toMatchObject({
      sliding_window_shapes: [3, 60, 60],
      strides: [3, 50, 50],
    });
  });

  it('has the defaults of the convention', () => {
    expect(resolveMethod({ method: 'saliency' }).parameters).toEqual({ abs: false });
    expect(resolveMethod({ method: 'saliency', convention: 'captum' }).parameters).toEqual({ abs: true });
    expect(resolveMethod({ method: 'grad-cam', convention: 'pytorch-grad-cam' }).parameters).toEqual({
      fuse: 'mean',
      eigen_smooth: false,
      aug_smooth: false,
    });
  });

  it.each(methods.filter(({ singleLayer }) => singleLayer))(
    '$id has no fuse, because it looks at one layer only; that of an older release is left out',
    ({ id, conventions }) => {
      for (const convention of conventions) {
        const plain = resolveMethod({ method: id, convention });
        expect(plain.parameters).not.toHaveProperty('fuse');
        expect(resolveMethod({ method: id, convention, parameters: { fuse: 'max' } })).toEqual(plain);
        expect(refusal({ method: id, convention, parameters: { fuse: 'most' } }).message).toMatch(
          new RegExp(`${id} has no parameter "fuse"`),
        );
      }
    },
  );

  it('names the parameter that was probably meant', () => {
    const { message } = refusal({ method: 'integrated-gradients', parameters: { n_step: 5 } });
    expect(message).toMatch(
      /^integrated-gradients has no parameter "n_step"; did you mean "n_steps"\? it has n_steps,/,
    );
  });

  it('is refused by name when there is none of that name, with the nearest that there is', () => {
    const error = refusal({ method: 'gradcam' });
    expect(error.code).toBe('unknown_method');
    expect(error.message).toBe('there is no method "gradcam"; did you mean "grad-cam"?');
    expect(refusal({ method: 'seance' }).message).toBe(
      'there is no method "seance"; the command "whylight methods" and GET /v1/methods list all methods',
    );
  });

  it.each([
    [{ method: 'occlusion', parameters: { windows: 3 } }, /no parameter "windows".*sliding_window_shapes/],
    [{ method: 'integrated-gradients', parameters: { n_steps: 0 } }, /"n_steps".*>=1.*got 0/],
    [{ method: 'integrated-gradients', parameters: { n_steps: 'many' } }, /"n_steps".*number.*"many"/],
    [{ method: 'integrated-gradients', parameters: { n_steps: 2.5 } }, /"n_steps".*int.*2.5/],
    [
      { method: 'integrated-gradients', parameters: { quadrature: 'simpson' } },
      /"quadrature".*gausslegendre.*"simpson"/,
    ],
    [
      { method: 'occlusion', parameters: { sliding_window_shapes: '15,15' } },
      /"sliding_window_shapes".*"15,15"/,
    ],
    [{ method: 'occlusion', convention: 'torchcam' }, /no convention "torchcam".*paper, captum/],
    [{ method: 'occlusion', convention: 'matlab' as 'paper' }, /"matlab" is unknown.*paper, torchcam/],
    [
      { method: 'grad-cam', convention: 'captum', parameters: { fuse: 'max' } },
      /"fuse".*only under.*paper.*not captum/,
    ],
  ] as const)('is refused when it says %j', (asked, message) => {
    const error = refusal(asked as never);
    expect(error.code).toBe('invalid_parameter');
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('\n');
  });

  it('describes each parameter and its default in JSON Schema', () => {
    for (const { id } of methods) {
      const schema = paramsJsonSchema(id) as {
        properties: Record<string, { description?: string; default?: unknown }>;
      };
      for (const [name, property] of Object.entries(schema.properties)) {
        expect(property.description, `${id} ${name}`).toBeTruthy();
        expect(property, `${id} ${name}`).toHaveProperty('default');
      }
    }
  });
});

describe('A question', () => {
  it('has nothing left open once it is resolved, in the words of the API', () => {
    expect(resolveQuestion({ method: 'grad-cam' })).toEqual({
      method: 'grad-cam',
      method_version: '1',
      convention: 'paper',
      parameters: { normalized: true, fuse: 'max' },
      layers: [],
      score: 'logit',
      target: 'predicted',
    });
  });

  it.each(methods.flatMap((m) => m.conventions.map((convention) => [m.id, convention] as const)))(
    'by %s under %s stays as it is when the next process resolves it again',
    (method, convention) => {
      const resolved = resolveQuestion({ method, convention });
      expect(resolveQuestion(JSON.parse(JSON.stringify(resolved)))).toEqual(resolved);
    },
  );

  it('is taken as it is within a process: nothing is read or filled in a second time', () => {
    const resolved = resolveQuestion({ method: 'integrated-gradients', parameters: { n_steps: '20' } });
    const { parameters } = resolveMethod(resolved);
    expect(parameters).toBe(resolved.parameters);
    expect(resolveMethod({ ...resolved, parameters: { n_steps: '20' } }).parameters).toEqual({
      n_steps: '20',
    });
  });

  it('that comes from elsewhere is not believed: version and parameters are those of this release', () => {
    const asked = {
      ...resolveQuestion({ method: 'saliency' }),
      method_version: '0',
      parameters: { abs: 'true' },
    };
    expect(resolveQuestion(asked)).toMatchObject({ method_version: '1', parameters: { abs: true } });
    expect(() => resolveQuestion({ ...asked, parameters: { absolute: true } })).toThrow(InputError);
  });

  it.each([
    [{ method: 'gradcam' }, ['method']],
    [{ method: 'occlusion', convention: 'torchcam' }, ['convention']],
    [{ method: 'occlusion', parameters: { windows: 3 } }, ['parameters', 'windows']],
    [{ method: 'integrated-gradients', parameters: { n_steps: 0 } }, ['parameters', 'n_steps']],
    [{ method: 'grad-cam', convention: 'captum', parameters: { fuse: 'max' } }, ['parameters', 'fuse']],
    [{ method: 'deep-lift', score: 'probability' }, ['score']],
    [{ method: 'saliency', layers: ['a'] }, ['layers']],
    [{ method: 'grad-cam', convention: 'captum', layers: ['a', 'b'] }, ['layers']],
  ] as const)('that is refused names the member at fault: %j', (asked, member) => {
    expect(() => resolveQuestion(asked)).toThrow(expect.objectContaining({ member }));
  });

  it.each(methods.flatMap((m) => m.conventions.map((convention) => [m.id, convention, m] as const)))(
    'gives the formula of %s under %s every parameter that it takes',
    (_, convention, method) => {
      const { parameters } = resolveQuestion({ method: method.id, convention });
      expect(formulaParameters(method, parameters)).toEqual(method.parameters.parse(parameters));
    },
  );
});
