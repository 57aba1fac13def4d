import { InputError } from '../errors.ts';
import type { Classifier, Network } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { quoted } from '../onnx/names.ts';
import { foundLayer, surveyOf } from './find.ts';
import { type Layer, layersOf } from './layers.ts';

/**
 * Chooses the layers of an explanation: those asked for, by tensor name or by index from the end (`-1`), or, if none
 * is asked for, the layer that `foundLayer` finds.
 */
export function chooseLayers(network: Network, asked: readonly string[], convention: string): Layer[] {
  const { layers } = surveyOf(network);
  if (asked.length === 0) return [foundLayer(network, convention)];
  return asked.map((name) => {
    if (/^-\d+$/.test(name)) {
      const counted = layers.at(Number(name));
      if (counted) return counted;
    }
    const value = network.resolve(name);
    const named = layers.find((layer) => layer.name === value);
    if (named) return named;
    throw new InputError('invalid_parameter', `layer ${quoted(name)}: ${missing(network.g, value, layers)}`);
  });
}

/** Explains why a value is no layer, and names layers that exist. */
function missing(g: GraphBuilder, value: Value, layers: readonly Layer[]): string {
  const whole = g.nodes.find((node) => node.spelling?.nodes.some(({ outputs }) => outputs.includes(value)));
  if (whole) return `it is a part of ${whole.op}; ask for the result of that, ${quoted(whole.outputs[0]!)}`;
  const near = layers.slice(-3).map((layer) => quoted(layer.name));
  return `the model has no feature map of that name; its last ones include ${near.join(', ')}`;
}

/**
 * Lists the names in the file by which each layer can be asked for, last layer first: its own name before the names of
 * values that reading has found to be the same.
 */
export function layerNames({ file, inline, inputShape }: Classifier): string[][] {
  const network = inline((g) => g.input('image', 'float32', [-1, ...inputShape]));
  const names = new Map(
    layersOf(network)
      .toReversed()
      .map(({ name }) => [name, [name]]),
  );
  for (const { outputs } of file.graph.nodes)
    for (const output of outputs) {
      const known = names.get(network.resolve(output));
      if (known && !known.includes(output)) known.push(output);
    }
  return [...names.values()];
}
