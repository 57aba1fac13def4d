import type { ScoreKind, TargetSpec, Warning } from '@whylight/core';
import type { Legend, Rgba, Style } from '@whylight/core/drawing';
import type { Region } from '@whylight/core/image';
import type { AttributionKind, Convention, Method } from '@whylight/core/methods';
import type { Prediction, Task } from '@whylight/core/preparation';
import type { ModelSource, OpenedModel } from './models/opened-model.ts';
import type { Backend, BackendOptions } from './worker/backend.ts';

/** The calls from the page to the worker, by name, with request and answer. */
export interface Calls {
  start: { request: BackendOptions; answer: Backend };
  open: { request: { readonly source: ModelSource }; answer: OpenedModel };
  release: { request: { readonly model: number }; answer: undefined };
  classify: { request: Asked<ClassifyQuestion>; answer: Classification };
  explain: { request: Asked<ExplainQuestion>; answer: Answered };
  judge: { request: Asked<JudgeQuestion>; answer: Judgement };
  check: { request: { readonly model: number }; answer: ModelCheck };
  compile: { request: CompileQuestion & { readonly model: number }; answer: Compiled };
}

export type Call = { [Name in keyof Calls]: { readonly name: Name } & Calls[Name]['request'] }[keyof Calls];
export type Answer = Calls[keyof Calls]['answer'];

/** The progress of a call, from 0 to 1. */
export type Progress = number;

/** A question in the form for the worker: the model by its number, the image as a bitmap. */
export type Asked<Question> = Question & { readonly model: number; readonly bitmap: ImageBitmap };

/** The device that computed an answer. */
export interface Device {
  readonly name: Backend['name'];
  /** Types of operators that WebGPU lacks and WebAssembly computed, in all graphs that the explainer has loaded. */
  readonly fallenBack: readonly string[];
}

export interface ClassifyQuestion {
  /** Number of classes to name; default: 5. */
  readonly count?: number | undefined;
}

export interface ExplainQuestion {
  /** The id of a method, such as `grad-cam`. */
  readonly method: string;
  /** The target to explain; default: the class that scores highest. */
  readonly target?: TargetSpec | undefined;
  /** Parameters of the method by name; default: the method's own values. */
  readonly parameters?: Readonly<Record<string, unknown>> | undefined;
  readonly convention?: Convention | undefined;
  /** Tensors by name, or by number from the end (`-1`). */
  readonly layers?: readonly string[] | undefined;
  readonly score?: ScoreKind | undefined;
  /** The look of the pictures. */
  readonly style?: Style | undefined;
  /** `false`: no overlay and no heat map. */
  readonly pictures?: boolean | undefined;
}

/** A map to judge: how the score of a class changes while the pixels go in the order of the map. */
export interface JudgeQuestion {
  /** A value for each point of the region that the network sees, row by row. */
  readonly values: Float32Array;
  readonly width: number;
  readonly height: number;
  /** The index of the class. */
  readonly target: number;
}

/** The score while pixels are deleted, and while they are inserted into nothing, those of the highest values first. */
export interface Curves {
  /** The part of the pixels that has changed at each point, 0 to 1. */
  readonly fractions: readonly number[];
  readonly deletion: readonly number[];
  readonly insertion: readonly number[];
}

export interface Judgement {
  readonly score: 'probability' | 'logit';
  readonly map: Curves;
  /** The same for the map's values in places by chance. */
  readonly chance: Curves;
}

/** An explainer to write as one ONNX file. */
export type CompileQuestion = Pick<
  ExplainQuestion,
  'method' | 'parameters' | 'convention' | 'layers' | 'score'
>;

export interface Compiled {
  /** The file: images and class indices in, attributions out. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A method, and whether a model can be explained by it. */
export interface MethodFacts extends Pick<Method, 'id' | 'title' | 'summary' | 'paper' | 'kind' | 'needs'> {
  /** Whether nothing in the model's file speaks against it. */
  readonly works: boolean;
  /** Why it does not work, or the notes on how it works on this model. */
  readonly reason: string | null;
  /** How often one explanation runs the network, with the method's own parameters. */
  readonly runs: number;
  /** JSON Schema of the parameters. */
  readonly parameters: object;
}

/** What the file of a model says about explaining it. */
export interface ModelCheck {
  readonly methods: readonly MethodFacts[];
  /** Methods that suit the network, the best first. */
  readonly recommended: readonly string[];
  /** Feature maps, [channels, height, width], last first. */
  readonly layers: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly notes: readonly string[];
  readonly opset: number;
  readonly inputShape: readonly number[];
}

export interface Classification {
  /** The likeliest class first, or the class that scores highest. */
  readonly predictions: readonly Prediction[];
  readonly task: Task;
  readonly warnings: readonly Warning[];
  readonly device: Device;
  /** Milliseconds in the worker. */
  readonly milliseconds: { readonly load: number; readonly compute: number };
}

/** The content of an explanation. Names and numbers are those of the command line's `result.json`. */
export interface Explanation {
  readonly method: string;
  readonly convention: Convention;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The layers that were explained, by tensor name. */
  readonly layers: readonly string[];
  readonly task: Task;
  /** The class that is explained. */
  readonly target: Prediction;
  /** The five highest predictions. */
  readonly predictions: readonly Prediction[];
  readonly attribution: Float32Array;
  /** A map [1, h, w], or [1, C, H, W] with a value for each pixel and channel. */
  readonly shape: readonly number[];
  /** What the numbers are. With it, the layout and the region, `paint` of `@whylight/core/drawing` draws them again. */
  readonly kind: AttributionKind;
  readonly layout: 'NCHW' | 'NHWC';
  readonly convergenceDelta: number | null;
  /** The region of the network's input on the image, in image pixels. */
  readonly region: Region;
  /** The image with the map over it; null if no pictures are requested. */
  readonly overlay: ImageData | null;
  /** The map alone, as large as its region. */
  readonly heatmap: ImageData | null;
  /** What the colours of both mean: the values at their ends, the unit, what is hidden. */
  readonly legend: Legend | null;
  readonly warnings: readonly Warning[];
  readonly device: Device;
  /** Milliseconds in the worker: `load` is 0 if the explainer was already loaded. */
  readonly milliseconds: { readonly load: number; readonly compute: number; readonly render: number };
}

/** Pixels travel as plain arrays: `ImageData` would be copied. */
export type Answered = Omit<Explanation, 'overlay' | 'heatmap'> & {
  readonly overlay: Rgba | null;
  readonly heatmap: Rgba | null;
};

/** Lists the memory of a message that moves to the receiver without a copy. The sender loses this memory. */
export function transferables(message: object): Transferable[] {
  const request = Reflect.get(message, 'request') as { bitmap?: ImageBitmap } | undefined;
  if (request?.bitmap) return [request.bitmap];
  const { attribution, overlay, heatmap, bytes } = (Reflect.get(message, 'value') ?? {}) as Partial<
    Answered & Compiled
  >;
  return [attribution, overlay?.data, heatmap?.data, bytes].flatMap((view) => (view ? [view.buffer] : []));
}
