/** What a model may be at most; beyond it the file is refused before anything else looks at it. */
export interface ReadLimits {
  /** Of the file and of the weights that lie beside it. */
  readonly bytes: number;
  readonly nodes: number;
  /** Memory that the parsed file may take beside its weights, in bytes. */
  readonly parsed: number;
  /** Bytes of all weights, float16 as the float32 that it becomes: what an explainer has to hold. */
  readonly weights: number;
  /** Elements per image that one value of the graph may have. */
  readonly elements: number;
}

/** Bytes that one ONNX file may have: what a protobuf message may. */
export const largestFile = 2 ** 31 - 1;

export const defaultLimits: ReadLimits = {
  bytes: 2 ** 34,
  nodes: 100_000,
  parsed: 2 ** 30,
  weights: 2 ** 34,
  elements: 2 ** 26,
};
