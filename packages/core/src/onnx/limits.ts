/** The largest model that is read; a file beyond this is refused before any other code reads it. */
export interface ReadLimits {
  /** Bytes of the file and of the weights beside it. */
  readonly bytes: number;
  readonly nodes: number;
  /** Memory that the parsed file may take beside its weights, in bytes. */
  readonly parsed: number;
  /** Bytes of all weights that an explainer holds in memory, with float16 counted as the float32 that it becomes. */
  readonly weights: number;
  /** Elements per image that one value of the graph may have. */
  readonly elements: number;
}

/** Most bytes of one ONNX file: the limit of a protobuf message. */
export const largestFile = 2 ** 31 - 1;

export const defaultLimits: ReadLimits = {
  bytes: 2 ** 34,
  nodes: 100_000,
  parsed: 2 ** 30,
  weights: 2 ** 34,
  elements: 2 ** 26,
};
