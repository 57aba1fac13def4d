import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tinyNetwork, tinyTransformer } from '@whylight/core/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { defaultMethod } from './default-method.ts';
import { findModel } from './model.ts';

const directory = mkdtempSync(join(tmpdir(), 'whylight-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const stored = (name: string, bytes: Uint8Array) => {
  const path = join(directory, `${name}.onnx`);
  writeFileSync(path, bytes);
  return findModel(path);
};

describe('The method where none is named', () => {
  it('is what suits the model', async () => {
    expect(await defaultMethod(await stored('map', tinyNetwork()), {})).toBe('grad-cam');
    expect(await defaultMethod(await stored('tokens', tinyTransformer()), {})).toBe('le-grad');
  });

  it('takes the layer, the convention, the score and the parameters that were asked for', async () => {
    const model = await stored('tokens', tinyTransformer());
    expect(await defaultMethod(model, { layer: ['block1.norm1'] })).toBe('grad-cam');
    expect(await defaultMethod(model, { convention: 'captum' })).toBe('grad-cam');
    expect(await defaultMethod(model, { score: 'softmax' })).toBe('grad-cam');
    expect(await defaultMethod(model, { param: { n_steps: '20' } })).toBe('integrated-gradients');
    expect(await defaultMethod(model, { param: { n_steps: '20' } }, true)).toBe('grad-cam');
  });

  it('is the usual one for what cannot be read, so that explaining it says why', async () => {
    expect(await defaultMethod(await stored('broken', Uint8Array.of(1, 2, 3)), {})).toBe('grad-cam');
  });
});
