import { type Language, ownStyle, type Prediction, type Task } from '@whylight/contract';
import { type Runtime, row, stacked, type Target, type Tensor } from '@whylight/core';
import { paintOver, type Scenery, scaleAttribution } from '@whylight/core/drawing';
import { type Picture, preprocess, type Region } from '@whylight/core/image';
import { attributionKindOf, type ResolvedQuestion } from '@whylight/core/methods';
import {
  createPlan,
  highest,
  type Plan,
  predictionOfTarget,
  predictionsOf,
  resolveTarget,
  sidesFor,
} from '@whylight/core/preparation';
import type { RegisteredModel } from '../models/registered-model.ts';
import { blend } from '../rendering/draw.ts';
import { type Plate, setPlate } from '../rendering/plate.ts';
import { captionOf } from '../rendering/rendering.ts';
import { paintStyleOf, type Style } from '../rendering/style.ts';

export interface FrameRequest {
  readonly model: RegisteredModel;
  readonly question: ResolvedQuestion;
  readonly language?: Language | undefined;
  /** Default: the style of the method. */
  readonly visualization?: Style['visualization'] | undefined;
}

/** A frame with its explanation. */
export interface ExplainedFrame {
  readonly frame: Picture;
  readonly region: Region;
  /** The attribution of this frame alone; its first dimension is 1. */
  readonly attribution: Tensor<'float32'>;
  /** The number by which a map was divided, so that its values lie within 0 to 1; 1 if it was not. */
  readonly scale: number;
  readonly task: Task;
  readonly predicted: Prediction;
  readonly target: Prediction;
}

/** The most captions that are kept. Most frames of a video have a caption that an earlier frame had. */
const kept = 512;

/** Explains frames of one size, several at once, and renders each explanation over its frame. */
export class FrameExplainer {
  readonly #plan: Plan;
  readonly #request: FrameRequest;
  readonly #target: Target;
  readonly #plates = new Map<string, Plate>();

  private constructor(plan: Plan, request: FrameRequest) {
    this.#plan = plan;
    this.#request = request;
    this.#target = resolveTarget(request.question.target, plan.names, plan.classes);
  }

  /** Creates an explainer for frames of the size of `frame`. @throws InputError */
  static async create(request: FrameRequest, frame: Picture, runtime: Runtime): Promise<FrameExplainer> {
    const { model, question } = request;
    const plan = await createPlan(model, question, await sidesFor(model, frame), runtime);
    return new FrameExplainer(plan, request);
  }

  /** Explains all frames in one batch. @throws InputError, DeviceError */
  async explain(frames: readonly Picture[]): Promise<ExplainedFrame[]> {
    const ready = frames.map((frame) => preprocess(frame, this.#plan.preprocessing));
    const { explainer, names, task } = this.#plan;
    const inputs = ready.map(({ input }) => input);
    const { attribution, scores, probabilities, targets, scale } = await explainer.attribute(
      stacked(inputs),
      frames.map(() => this.#target),
    );
    return frames.map((frame, n) => {
      const outputs = {
        scores: row(scores, n).data,
        probabilities: probabilities && row(probabilities, n).data,
      };
      const predictions = predictionsOf(outputs, names);
      const [predicted] = highest(predictions, 1);
      return {
        frame,
        region: ready[n]!.region,
        attribution: row(attribution, n),
        scale: scale?.[n] ?? 1,
        task,
        predicted: predicted!,
        target: predictionOfTarget(this.#target, targets[n]!, predictions, names),
      };
    });
  }

  /** Finds the magnitude at which colours are strongest if the frame has a scale of its own; frames can be compared by it. */
  endOf(frame: ExplainedFrame): number {
    const { end } = scaleAttribution(this.#scenery(frame), this.#style);
    return end * frame.scale;
  }

  /**
   * Renders the explanation and the caption over the frame. Numbers have two digits.
   *
   * @param end what `endOf` has found for frames that share a scale; default: the frame has a scale of its own
   */
  async render(explained: ExplainedFrame, end?: number): Promise<Picture> {
    const { task, predicted, target, scale } = explained;
    const scenery = this.#scenery(explained);
    // A map that is zero everywhere has no scale.
    const shared = end === undefined || scale === 0 ? {} : { end: end / scale };
    const picture = paintOver({ ...scenery, style: this.#style, ...shared });
    const { language = 'en' } = this.#request;
    const plate = await this.#plate(captionOf({ task, predicted, target, language }, 2), picture);
    blend(picture, plate.raster, plate.margin, plate.margin);
    return picture;
  }

  get #style() {
    const { visualization = ownStyle().visualization, language = 'en' } = this.#request;
    return paintStyleOf({ visualization, language });
  }

  #scenery({ frame, region, attribution }: ExplainedFrame): Scenery {
    const { method, convention } = this.#request.question;
    const { layout } = this.#plan.preprocessing;
    return { photo: frame, region, attribution, layout, convention, ...attributionKindOf(method) };
  }

  async close(): Promise<void> {
    await this.#plan.close();
  }

  async #plate(caption: readonly string[], on: Picture): Promise<Plate> {
    const key = [on.width, on.height, ...caption].join('\n');
    const known = this.#plates.get(key);
    if (known) return known;
    const plate = await setPlate(caption, on);
    if (this.#plates.size >= kept) this.#plates.clear();
    this.#plates.set(key, plate);
    return plate;
  }
}
