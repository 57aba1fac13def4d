import { readNpy } from '@whylight/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeImage } from '../codec/decode.ts';
import { ColourModels, jetStyle, redSquare } from '../testing/colour-models.ts';

let models: ColourModels;
let photo: Uint8Array;
beforeAll(async () => {
  models = await ColourModels.open();
  photo = await redSquare(4);
});
afterAll(() => models.close());

test('K3: without a crop the network gets the whole photo, whatever size its file states', async () => {
  const { result, artifacts } = await models.explain({
    photo,
    fit: { resize: 32, crop: 'none' },
  });
  expect(result.input_region).toEqual({ x: 0, y: 0, width: 64, height: 128 });
  expect(readNpy(artifacts.get('attribution.npy')!).shape).toEqual([1, 64, 32]);
});

test('another crop', async () => {
  const { result } = await models.explain({ photo, fit: { resize: 16, crop: 8 } });
  expect(result.input_region).toEqual({ x: 16, y: 48, width: 32, height: 32 });
});

test('the map of a crop stretched over the whole photo reaches its corner', async () => {
  const corner = async (stretched: boolean) => {
    const { artifacts } = await models.explain({
      photo,
      style: jetStyle,
      stretched,
      fit: { crop: 8 },
    });
    return (await decodeImage(artifacts.get('overlay.png')!)).data.slice(0, 3);
  };
  expect([...(await corner(false))]).toEqual([0, 0, 0]);
  expect(Math.max(...(await corner(true)))).toBeGreaterThan(0);
});
