import { ownStyle, type Visualization } from '@whylight/contract';
import { InputError, readNpy } from '@whylight/core';
import { colormapNames } from '@whylight/core/drawing';
import { resolveQuestion } from '@whylight/core/methods';
import { beforeAll, describe, expect, test } from 'vitest';
import { encodePng } from '../codec/encode.ts';
import { ModelRegistry, shapesModel } from '../models/registry.ts';
import { createRuntime } from '../runtime/runtime.ts';
import type { PhotoExplanation } from './explanation.ts';
import { PhotoExplainer } from './photo-explainer.ts';
import { renderResult } from './render-result.ts';

const side = 300;
let photo: Uint8Array;
let explanations: Record<'map' | 'pixels', PhotoExplanation>;
let explainer: PhotoExplainer;

beforeAll(async () => {
  const data = new Uint8Array(side * side * 3).map((_, i) => (i * 7919) % 251);
  photo = await encodePng({ width: side, height: side, channels: 3, data });
  const runtime = await createRuntime({ ep: 'cpu' });
  explainer = new PhotoExplainer(runtime, await ModelRegistry.open([shapesModel]));
  const explain = (method: string) =>
    explainer.explain({ photo, model: 'shapes', question: resolveQuestion({ method }) });
  explanations = { map: await explain('grad-cam'), pixels: await explain('input-x-gradient') };
});

const own = ownStyle();
const renderAgain = (kind: 'map' | 'pixels', change: Partial<Visualization> = {}) => {
  const style = { ...own, visualization: { ...own.visualization, ...change } };
  const { result, artifacts } = explanations[kind];
  return renderResult({ photo, attribution: artifacts.get('attribution.npy')!, result }, style);
};

describe('rendering an explanation again', () => {
  test.each(['map', 'pixels'] as const)('gives of a %s in the same style the same bytes', async (kind) => {
    const { overlay, heatmap } = await renderAgain(kind);
    const { artifacts } = explanations[kind];
    expect(Buffer.from(overlay).equals(artifacts.get('overlay.png')!)).toBe(true);
    expect(Buffer.from(heatmap).equals(artifacts.get('heatmap.png')!)).toBe(true);
  });

  test.each(['map', 'pixels'] as const)('gives of a %s in every other style other pictures', async (kind) => {
    const changes: Partial<Visualization>[] = [
      ...colormapNames.map((color_map) => ({ color_map })),
      { opacity: 0.9 },
      { clip_percent_lowerbound: 62, clip_percent_upperbound: 99.9 },
      { type: 'outlines', clip_percent_lowerbound: 80, clip_percent_upperbound: 100 },
      ...(['positive', 'negative', 'both', 'absolute'] as const).map((polarity) => ({ polarity })),
      ...(['grayscale', 'mask_black', 'none'] as const).map((overlay_type) => ({ overlay_type })),
    ];
    const renderings = await Promise.all(changes.map((change) => renderAgain(kind, change)));
    const { artifacts } = explanations[kind];
    const first = Buffer.from(artifacts.get('overlay.png')!).toString('base64');
    const pictures = new Set(renderings.map(({ overlay }) => Buffer.from(overlay).toString('base64')));
    // Of a map that is never negative, positive is absolute; its own colours are among those named.
    expect(pictures.size).toBeGreaterThanOrEqual(changes.length - 3);
    expect([...pictures].filter((picture) => picture === first).length).toBeLessThanOrEqual(1);
  });

  test('in Chinese says so where the class has no Chinese name', async () => {
    const { result, artifacts } = explanations.map;
    const nameless = { ...result, target: { ...result.target, label_zh: null } };
    const attribution = artifacts.get('attribution.npy')!;
    const { warnings } = await renderResult({ photo, attribution, result: nameless }, ownStyle('zh'));
    expect(warnings).toEqual([{ code: 'label_in_english', message: 'the class has no Chinese name' }]);
  });

  test('refuses bytes that are no array', async () => {
    const { result } = explanations.map;
    const broken = {
      photo,
      attribution: new Uint8Array(20),
      result,
    };
    await expect(renderResult(broken, own)).rejects.toThrow(InputError);
    expect(readNpy(explanations.map.artifacts.get('attribution.npy')!).dtype).toBe('float32');
  });
});
