/** Writes the recorded result: the default network on the first photo of the gallery, by three methods. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { readNpy } from '@whylight/core';
import { paintOver } from '@whylight/core/drawing';
import { attributionKindOf, methods, resolveQuestion } from '@whylight/core/methods';
import {
  createRuntime,
  decodeImage,
  defaultModel,
  embeddedModels,
  ModelRegistry,
  PhotoExplainer,
} from '@whylight/host';
import sharp from 'sharp';
import type { Recorded } from '../src/state/recorded.ts';

const recordedMethods = ['grad-cam', 'lrp', 'integrated-gradients'];
/** Sides of the pictures: they are the first that a visitor gets, before anything else. */
const side = 400;

const first = new URL('../src/first/', import.meta.url);
const file = await readFile(new URL('../../cli/photos/coffee.jpg', import.meta.url));
const small = await sharp(file).resize(side, side, { fit: 'inside' }).png().toBuffer();
const photo = await decodeImage(small);
const webp = (data: Uint8Array) =>
  sharp(data, { raw: { width: photo.width, height: photo.height, channels: 3 } })
    .webp({ quality: 78, effort: 6 })
    .toBuffer();

await mkdir(new URL('pictures/', first), { recursive: true });
await writeFile(new URL('pictures/photo.webp', first), await webp(photo.data));

const explainer = new PhotoExplainer(
  await createRuntime({ ep: 'cpu' }),
  await ModelRegistry.open(embeddedModels),
);
const explained = [];
for (const method of recordedMethods) {
  const question = resolveQuestion({ method });
  const { result, artifacts } = await explainer.explain({ photo: file, model: defaultModel, question });
  const { x, y, width, height } = result.input_region;
  const scale = photo.width / result.image.width;
  const overlay = paintOver({
    photo,
    region: { x: x * scale, y: y * scale, width: width * scale, height: height * scale },
    attribution: readNpy(artifacts.get('attribution.npy')!) as never,
    layout: 'NCHW',
    convention: result.convention,
    ...attributionKindOf(method),
  });
  await writeFile(new URL(`pictures/${method}.webp`, first), await webp(overlay.data));
  explained.push(result);
}

const [{ predictions }] = explained as [(typeof explained)[number]];
const recorded: Recorded = {
  photo: { width: photo.width, height: photo.height },
  predictions,
  maps: recordedMethods.map((method) => ({
    method,
    title: methods.find(({ id }) => id === method)!.title,
    width: photo.width,
    height: photo.height,
  })),
};
await writeFile(new URL('recorded.json', first), `${JSON.stringify(recorded, null, 2)}\n`);
process.exit(0);
