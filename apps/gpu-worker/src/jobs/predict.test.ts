import { predictionMethod } from '@whylight/contract';
import { afterEach, describe, expect, test } from 'vitest';
import { createWorld, disc, type World } from '../testing/world.ts';

let world: World;
afterEach(() => world.close());

const question = {
  method: predictionMethod,
  method_version: '1',
  convention: 'paper',
  parameters: {},
} as const;

describe('a prediction', () => {
  test('gives every score in order, writes nothing, and scores as an explanation does', async () => {
    world = await createWorld();
    const photo = await disc();
    const explaining = await world.prepared(photo, { key: 'b'.repeat(64) });
    await world.post(explaining);
    const explained = await world.ending();
    world.gateway.reports.length = 0;

    const job = await world.prepared(photo, { question, output_prefix: 't/acme/x/other/1/' });
    expect((await world.post(job)).status).toBe(202);
    const report = await world.ending();
    if (report.status !== 'succeeded' || explained.status !== 'succeeded')
      return expect.unreachable(JSON.stringify([report, explained]));
    expect(report.artifacts).toEqual([]);
    expect(report.result).toMatchObject({ method: predictionMethod, attribution: null, device: 'cpu' });
    const { predictions } = report.result;
    expect(predictions).toHaveLength(10);
    expect(predictions.reduce((sum, { probability = 0 }) => sum + probability, 0)).toBeCloseTo(1, 5);
    for (const [i, { class_index, probability, score }] of explained.result.predictions.entries()) {
      expect(predictions[i]!.class_index).toBe(class_index);
      expect(predictions[i]!.score).toBeCloseTo(score!, 4);
      expect(predictions[i]!.probability).toBeCloseTo(probability!, 5);
    }
    expect([...world.storage.objects.keys()].filter((name) => name.startsWith(job.output_prefix))).toEqual(
      [],
    );
    expect(await world.metric('whylight_predictions_total')).toBe(1);
  });

  test('of what is no photo fails by name', async () => {
    world = await createWorld();
    await world.post(await world.prepared(Buffer.from('no photo'), { question }));
    expect(await world.ending()).toMatchObject({ status: 'failed', error: { code: 'invalid_image' } });
  });
});
