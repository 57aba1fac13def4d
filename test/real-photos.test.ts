import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pngSize } from './service/pictures.ts';
import { RunningService } from './service/running-service.ts';

const shared = process.env.WHYLIGHT_SHARED ?? fileURLToPath(new URL('../../shared', import.meta.url));
const there = existsSync(join(shared, 'images', 'top5.json'));
if (!there)
  console.warn('real photos through the service: skipped, there is no ../shared (or WHYLIGHT_SHARED)');

const models = ['resnet18_ktb', 'squeezenet1_1', 'mobilenet_v2_1.0_224'];
const photos = ['zebra.jpg', 'kitten.jpg', 'parrot.jpg'];
type Top5 = Record<string, Record<string, [index: number, label: string, score: number][]>>;

describe.skipIf(!there)('real photos and networks through the service', () => {
  let service: RunningService;
  let expected: Top5;
  beforeAll(async () => {
    const files = models.map((name) => `${name}=${join(shared, 'models', `${name}.onnx`)}`);
    service = await RunningService.start({ models: files });
    expected = JSON.parse(await readFile(join(shared, 'images', 'top5.json'), 'utf8')) as Top5;
  });
  afterAll(() => service?.remove());

  it.each(photos.flatMap((photo) => models.map((model) => [photo, model] as const)))(
    '%s by %s: the class that others see, and an overlay as large as the photo',
    async (photo, model) => {
      const bytes = new Uint8Array(await readFile(join(shared, 'images', photo)));
      const { id } = await service.client.upload(bytes, 'image/jpeg');
      const { explanation } = await service.client.explain({
        input: { upload: id },
        model,
        method: 'grad-cam',
      });
      expect(explanation.error).toBeNull();
      const [index, , score] = expected[photo]![model]![0]!;
      expect(explanation.predictions[0]!.class_index).toBe(index);
      expect(Math.abs(explanation.predictions[0]!.probability! - score)).toBeLessThan(0.02);
      const { image } = explanation.attributions[0]!;
      const overlay = await service.client.artifact(explanation.id, 'overlay.png');
      expect(pngSize(overlay)).toEqual([image.width, image.height]);
    },
  );
});
