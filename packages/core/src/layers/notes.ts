import type { Network } from '../model/classifier.ts';
import { quoted } from '../onnx/names.ts';
import type { Warning } from '../warning.ts';
import { isWhole, surveyOf } from './find.ts';
import type { Layer } from './layers.ts';
import { type Beside, besideOf, reachOf } from './reached-places.ts';
import type { Region } from './view.ts';

/** What is to be known of the maps of these layers, whatever the image and the method. */
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
  const message = `${lost === places ? 'no place' : `${lost} of ${places} places`} of layer ${quoted(layer.name)} can${lost === places ? '' : 'not'} reach the scores: what the map shows there counts for nothing${better ? `; all of layer ${quoted(better.name)} can` : ''}`;
  return [{ code: 'layer_unreached', message }];
}

/** How many values are named. */
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
      ? ['the tokens in it that have no place in the image, such as a class token']
      : []),
    ...(tokens === '' ? [] : [`the values that such a token has of its own (in ${tokens})`]),
    ...(maps === '' ? [] : [`another way through the network (by ${maps})`]),
    ...(branches === '' ? [] : [`another branch of the network, whose last map is ${branches}`]),
    ...(pooled === '' ? [] : [`what has been pooled before it (in ${pooled})`]),
  ];
  if (parts.length === 0) return [];
  return [
    {
      code: 'beside_layer',
      message: `the scores are also made of what the map of layer ${quoted(layer.name)} does not show: ${parts.join('; ')}`,
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
      message: `the places of ${layer} are not those of the image in their order: it puts parts of the image together that lie apart, and its map may lie wrong`,
    });
  else if (form.flipped || form.transposed) {
    const how = [
      ...(form.transposed ? ['with rows and columns exchanged'] : []),
      ...(form.flipped?.includes(3) ? ['mirrored left to right'] : []),
      ...(form.flipped?.includes(2) ? ['upside down'] : []),
    ].join(' and ');
    notes.push({
      code: 'layer_turned',
      message: `${layer} sees the image ${how}; its map is turned back`,
    });
  }
  if (region)
    notes.push({
      code: 'layer_region',
      message: `${layer} sees ${regionText(region)} of the image only; a map of the image's size is laid there, and one of the layer's size covers only that`,
    });
  return notes;
}
