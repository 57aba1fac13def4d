import { GraphBuilder } from '../onnx/builder.ts';
import { shapeInference } from './shape-inference.ts';

/**
 * A graph to build, which follows shapes through every operator that has a shape rule.
 *
 * @param batch a size that the model has baked in; open when it is left out
 * @param enclosing the graph around it, for the body of a loop
 */
export const newGraph = (opset: number, batch?: number, enclosing?: GraphBuilder): GraphBuilder =>
  new GraphBuilder(opset, shapeInference, batch, enclosing);
