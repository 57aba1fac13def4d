import { float32 } from '@whylight/core';
import { picture } from '@whylight/core/image';
import { afterAll, expect, test } from 'vitest';
import { createRenderPool } from './render-pool.ts';
import { renderScene, type Scene } from './rendering.ts';

const pool = createRenderPool(2);
afterAll(() => pool.close());

const zebra = { class_index: 0, label: 'zebra', label_zh: null, probability: 0.9, score: 4 };
const scene = (shade: number): Scene => ({
  photo: picture(300, 280, new Uint8Array(300 * 280 * 3).fill(shade)),
  region: { x: 0, y: 0, width: 300, height: 280 },
  attribution: float32([1, 2, 2], Float32Array.of(0, 0.5, 1, shade / 255)),
  layout: 'NCHW',
  method: 'grad-cam',
  task: 'multiclass',
  target: zebra,
  predicted: zebra,
});

test('threads draw what would be drawn here, and each its own', async () => {
  const shades = [10, 90, 170, 250];
  const drawn = await Promise.all(shades.map((shade) => pool.render(scene(shade))));
  for (const [i, shade] of shades.entries()) expect(drawn[i]).toEqual(await renderScene(scene(shade)));
});

test('L8: the many pictures of one owner leave the next turn to another', async () => {
  const drawn: string[] = [];
  await using single = createRenderPool(1);
  const render = async (owner: string) => {
    await single.render(scene(1), owner);
    drawn.push(owner);
  };
  await Promise.all([...Array.from({ length: 6 }, () => render('noisy')), render('quiet')]);
  expect(drawn.indexOf('quiet')).toBeLessThanOrEqual(2);
});

test('L8: the last thread of a shared pool is never for an owner who has another', async () => {
  await using shared = createRenderPool(1, { shared: true });
  const drawn: string[] = [];
  const render = async (owner: string, side: number) => {
    const photo = picture(side, side, new Uint8Array(side * side * 3).fill(90));
    await shared.render({ ...scene(1), photo, region: { x: 0, y: 0, width: side, height: side } }, owner);
    drawn.push(owner);
  };
  // Each of the noisy owner's pictures takes many times as long as the quiet one's.
  const noise = [render('noisy', 900), render('noisy', 900)];
  await render('quiet', 40);
  expect(drawn).toEqual(['quiet']);
  await Promise.all(noise);
});

test('what cannot be drawn is an error, and the next picture is drawn', async () => {
  await expect(pool.render({ ...scene(1), region: null as never })).rejects.toThrow();
  expect((await pool.render(scene(1))).overlay.length).toBeGreaterThan(0);
});

test('a render pool that is closed renders nothing', async () => {
  const closed = createRenderPool(1);
  const rendering = closed.render(scene(1));
  const outcome = expect(rendering).rejects.toThrow('stopped');
  await closed.close();
  await outcome;
  await expect(closed.render(scene(1))).rejects.toThrow('closed');
});
