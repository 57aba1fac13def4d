import { GraphBuilder } from '../onnx/builder.ts';
import { shapeInference } from './shape-inference.ts';

/**
 * Makes an empty graph, which follows shapes through every operator that has a shape rule.
 *
 * @param batch the batch size that the model has baked in; the batch is open if it is left out
 * @param enclosing the graph around the new graph, for the body of a loop
 */
export const newGraph = (opset: number, batch?: number, enclosing?: GraphBuilder): GraphBuilder =>
  new GraphBuilder(opset, shapeInference, batch, enclosing);
