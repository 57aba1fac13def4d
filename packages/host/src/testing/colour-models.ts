import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownStyle, type Style } from '@whylight/contract';
import type { InputError, Runtime } from '@whylight/core';
import { resolveQuestion } from '@whylight/core/methods';
import sharp from 'sharp';
import type { PhotoExplanation, PhotoRequest } from '../explanation/explanation.ts';
import { PhotoExplainer } from '../explanation/photo-explainer.ts';
import { ModelRegistry } from '../models/registry.ts';
import { createRuntime } from '../runtime/runtime.ts';
import { colourNetwork, type NetworkOptions } from './network.ts';

/** Input 0..1, nothing cut away from a square photo. */
export const plain = {
  ...{ channels: 'RGB', scale: 'x/255', mean: [0, 0, 0], std: [1, 1, 1] },
  ...{ resize_short_side: 16, center_crop: 16, resample: 'bilinear' },
};

const labels = [
  { en: 'red', zh: '红' },
  { en: 'green', zh: '绿' },
  { en: 'blue, azure', zh: null },
];

/** A black image, 16 × 32, with a red square of 4 pixels whose corner is at (10, 20); all sizes times `scale`. */
export const redSquare = (scale = 1): Promise<Uint8Array> =>
  sharp({ create: { width: 16 * scale, height: 32 * scale, channels: 3, background: 'black' } })
    .composite([
      {
        input: { create: { width: 4 * scale, height: 4 * scale, channels: 3, background: 'red' } },
        left: 10 * scale,
        top: 20 * scale,
      },
    ])
    .png()
    .toBuffer();

/** Changes of a test to the request for Grad-CAM of the predicted class: of the question, and of other members. */
export type Change = Partial<Omit<PhotoRequest, 'question'> & Parameters<typeof resolveQuestion>[0]>;

/** Colour networks in a folder of their own, `colours` among them, and a red square to ask them about. */
export class ColourModels {
  readonly runtime: Runtime;
  readonly photo: Uint8Array;
  readonly #folder: string;

  private constructor(folder: string, runtime: Runtime, photo: Uint8Array) {
    this.#folder = folder;
    this.runtime = runtime;
    this.photo = photo;
  }

  static async open(): Promise<ColourModels> {
    const folder = await mkdtemp(join(tmpdir(), 'whylight-test-'));
    const models = new ColourModels(folder, await createRuntime({ ep: 'cpu' }), await redSquare());
    await models.add('colours', {}, { preprocessing: plain, labels });
    return models;
  }

  async add(name: string, options: NetworkOptions, manifest: object | null): Promise<void> {
    await writeFile(join(this.#folder, `${name}.onnx`), colourNetwork(options));
    if (manifest) await writeFile(join(this.#folder, `${name}.json`), JSON.stringify({ name, ...manifest }));
  }

  registry(): Promise<ModelRegistry> {
    return ModelRegistry.open([this.#folder]);
  }

  /** Explains the red square by Grad-CAM of `colours`; the arguments replace parts of this request. */
  request({
    method = 'grad-cam',
    convention,
    parameters,
    layers,
    score,
    target,
    ...rest
  }: Change = {}): PhotoRequest {
    const question = resolveQuestion({ method, convention, parameters, layers, score, target });
    return { photo: this.photo, model: 'colours', question, ...rest };
  }

  async explain(change: Change = {}): Promise<PhotoExplanation> {
    const explainer = new PhotoExplainer(this.runtime, await this.registry());
    try {
      return await explainer.explain(this.request(change));
    } finally {
      await explainer.close();
    }
  }

  failure(change: Change): Promise<InputError> {
    return this.explain(change).then(
      () => {
        throw new Error('it should have failed');
      },
      (error: InputError) => error,
    );
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** torchcam's colours, in which zero is blue: they show where a map lies, where it is zero, too. */
export const jetStyle: Style = {
  language: 'en',
  visualization: { ...ownStyle().visualization, color_map: 'jet' },
};
