import type { Network } from '../model/classifier.ts';
import { quoted } from '../onnx/names.ts';
import type { Warning } from '../warning.ts';
import { isWhole, surveyOf } from './find.ts';
import type { Layer } from './layers.ts';
import { type Beside, besideOf, reachOf } from './reached-places.ts';
import type { Region } from './view.ts';

/** Gives the notes on the maps of these layers that are true for every image and method. */
export const notesOn = (network: Network, layers: readonly Layer[]): Warning[] =>
  layers.flatMap((layer) => [
    ...unreached(network, layer),
    ...besides(network, layer),
    ...orientation(layer),
  ]);

function unreached(network: Network, layer: Layer): Warning[] {
  const { layers, reached } = surveyOf(network);
  const { lost, places } = reachOf(layer, reached);
  if (lost === 0) return [];
  const better = layers.findLast((other) => isWhole(other, reached));
  const which = lost === places ? 'no place' : `${lost} of ${places} places`;
  const verb = lost === places ? 'affects' : 'do not affect';
  const advice = better ? `; use layer ${quoted(better.name)}, where every place affects them` : '';
  const message = `${which} of layer ${quoted(layer.name)} ${verb} the scores: what the map shows there means nothing${advice}`;
  return [{ code: 'layer_unreached', message }];
}

/** The most values that a note names in a list. */
const named = 3;

function besides(network: Network, layer: Layer): Warning[] {
  const survey = surveyOf(network);
  const { reached } = survey;
  const around = besideOf(network, layer.name, survey);
  const list = (kind: Beside['kind'], of: (beside: Beside) => string | undefined) =>
    [...new Set(around.filter((beside) => beside.kind === kind).flatMap((beside) => of(beside) ?? []))]
      .slice(-named)
      .map(quoted)
      .join(', ');
  const tokens = list('tokens', ({ value }) => value);
  const maps = list('map', ({ value }) => value);
  const branches = list('pooled', ({ branch }) => branch);
  const pooled = list('pooled', ({ value, branch }) => (branch === undefined ? value : undefined));
  const parts = [
    ...(reachOf(layer, reached).besideTokens
      ? ['the tokens of this layer that have no place in the image, such as a class token']
      : []),
    ...(tokens === '' ? [] : [`what such a token carries past this layer (in ${tokens})`]),
    ...(maps === '' ? [] : [`a path through the network that goes around this layer (through ${maps})`]),
    ...(branches === '' ? [] : [`another branch of the network, whose last map is ${branches}`]),
    ...(pooled === '' ? [] : [`features that the network pooled before this layer (in ${pooled})`]),
  ];
  if (parts.length === 0) return [];
  return [
    {
      code: 'beside_layer',
      message: `the scores also depend on values that the map of layer ${quoted(layer.name)} cannot show: ${parts.join('; ')}`,
    },
  ];
}

const spelled = ([from, to]: readonly [number, number]): string =>
  to === Number.POSITIVE_INFINITY ? 'all' : `${from} to ${to}`;

const regionText = ({ rows, columns }: Region): string =>
  `rows ${spelled(rows)} and columns ${spelled(columns)}`;

function orientation({ name, form, region, scattered }: Layer): Warning[] {
  const layer = `layer ${quoted(name)}`;
  const notes: Warning[] = [];
  if (scattered)
    notes.push({
      code: 'layer_scattered',
      message: `${layer} does not keep the places of the image in their order: it joins parts that lie apart, so its map may lie in the wrong place`,
    });
  else if (form.flipped || form.transposed) {
    const how = [
      ...(form.transposed ? ['with rows and columns exchanged'] : []),
      ...(form.flipped?.includes(3) ? ['mirrored left to right'] : []),
      ...(form.flipped?.includes(2) ? ['upside down'] : []),
    ].join(' and ');
    notes.push({
      code: 'layer_turned',
      message: `${layer} sees the image ${how}; the map is turned back, so that it fits the image`,
    });
  }
  if (region)
    notes.push({
      code: 'layer_region',
      message: `${layer} sees ${regionText(region)} of the image only; a map of the image's size shows them in their place, and a map of the layer's size shows only them`,
    });
  return notes;
}
