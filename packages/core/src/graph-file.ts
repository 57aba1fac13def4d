/**
 * A graph as an ONNX file whose large weights lie outside the file: no weight is copied into the file, and graphs of
 * one network share the weights.
 */
export interface GraphFile {
  readonly bytes: Uint8Array;
  /** The weights' bytes, by the location that the file states. They must not change while a session uses them. */
  readonly weights: ReadonlyMap<string, Uint8Array>;
}

/** Makes a `GraphFile` of a graph that may be a whole file. */
export const graphFileOf = (graph: Uint8Array | GraphFile): GraphFile =>
  graph instanceof Uint8Array ? { bytes: graph, weights: new Map() } : graph;

/** Counts the bytes of the weights that lie outside a graph's file. */
export const weightsBeside = ({ weights }: GraphFile): number =>
  Array.from(weights.values(), ({ byteLength }) => byteLength).reduce((a, b) => a + b, 0);

/** A model as it was read, with the weights that lie beside its file. */
export interface ModelFiles extends GraphFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Parts that, one after another, are the model as one file of any size: the digest is computed over them. */
  readonly parts: readonly Uint8Array[];
}

export const wholeFile = (bytes: Uint8Array<ArrayBuffer>): ModelFiles => ({
  ...{ bytes, weights: new Map() },
  parts: [bytes],
});
