import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ColourModels, plain } from '../testing/colour-models.ts';

let models: ColourModels;
beforeAll(async () => {
  models = await ColourModels.open();
});
afterAll(() => models.close());

describe('a model', () => {
  test('without a manifest is preprocessed for its own input size, and the result says so', async () => {
    await models.add('bare', { side: 32 }, null);
    const { result } = await models.explain({ model: 'bare' });
    expect(result.warnings).toContainEqual(expect.objectContaining({ code: 'preprocessing_assumed' }));
    expect(result.attribution.shape).toEqual([1, 32, 32]);
    expect(result.target.label).toBe(`class ${result.target.class_index}`);
  });

  test('whose manifest says nothing of preprocessing is one without, and keeps its labels', async () => {
    await models.add('labelled', { side: 32 }, { labels: ['red', 'green', 'blue'] });
    const { result } = await models.explain({ model: 'labelled' });
    expect(result.warnings).toContainEqual(expect.objectContaining({ code: 'preprocessing_assumed' }));
    expect(result.attribution.shape).toEqual([1, 32, 32]);
    expect(result.target.label).toMatch(/red|green|blue/);
  });

  test('is explained at the layer of its manifest, unless that is not one', async () => {
    await models.add('hinted', { extra: 'Relu' }, { preprocessing: plain, cam_tensor: 'colours' });
    expect((await models.explain({ model: 'hinted' })).result.layers).toEqual(['colours']);
    expect((await models.explain({ model: 'hinted', layers: ['features'] })).result.layers).toEqual([
      'features',
    ]);
    expect((await models.explain({ model: 'hinted', method: 'saliency' })).result.layers).toEqual([]);
    await models.add(
      'misled',
      { extra: 'Relu' },
      { preprocessing: plain, cam_tensor: 'last Relu of layer4' },
    );
    expect((await models.explain({ model: 'misled' })).result.layers).toEqual(['features']);
  });

  test('with another number of labels than classes is refused', async () => {
    await models.add('short', {}, { preprocessing: plain, labels: ['red', 'green'] });
    expect(await models.failure({ model: 'short' })).toMatchObject({
      code: 'invalid_model',
      message: expect.stringContaining(
        'model short: labels: expected 3, one for each class, got 2 from the manifest',
      ),
    });
  });

  test('with another input size than its manifest says is refused', async () => {
    await models.add('large', { side: 32 }, { preprocessing: plain });
    expect(await models.failure({ model: 'large' })).toMatchObject({ code: 'invalid_model' });
  });

  test('that gives NaN is refused as such', async () => {
    await models.add('nan', { bias: [Number.NaN, 0, 0] }, { preprocessing: plain });
    expect(await models.failure({ model: 'nan' })).toMatchObject({ code: 'non_finite_output' });
  });

  test('with an operator that has no derivative is refused by its name', async () => {
    await models.add('steps', { extra: 'GlobalLpPool' }, { preprocessing: plain });
    const { code, message } = await models.failure({ model: 'steps', method: 'saliency' });
    expect([code, message]).toEqual(['model_unsupported_op', expect.stringContaining('GlobalLpPool')]);
  });
});
