import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { golden } from '../image/golden.ts';
import type { ColormapName } from './colormaps.ts';
import { colormaps, colourIndex, parseColormap } from './colormaps.ts';

const sha256 = (table: Uint8Array) => createHash('sha256').update(table).digest('hex').slice(0, 16);

/** Of `bytes(matplotlib.colormaps[name](range(256), bytes=True)[:, :3])`, matplotlib 3.11.2. */
const matplotlib: Partial<Record<ColormapName, string>> = {
  jet: 'c1b7b97444ebebfc',
  viridis: '96a1f6f37d4041f9',
  gray: 'c15598e2bf5c6ff3',
  Greens: 'a929e8d91d20b5cd',
  Reds: '86d9fb142f4b35dd',
  Blues: 'dabb29b9a7853be5',
  RdWhGn: 'd53407a6ecaba074',
};

it.each(Object.entries(matplotlib))('%s is matplotlib’s table', (name, digest) => {
  const table = colormaps[name as ColormapName].slice();
  // matplotlib has Reds' last blue, 13/255, as a decimal a hair too small, which truncates to 12.
  if (name === 'Reds') table[767] = table[767]! - 1;
  expect(sha256(table)).toBe(digest);
});

it.skipIf(golden === null).each([
  ['jet', 'jet256'],
  ['opencv-jet', 'cv2_jet256_rgb'],
] as const)('%s is the recorded table', (name, recorded) => {
  expect([...colormaps[name]]).toEqual((golden![recorded] as unknown as number[][]).flat());
});

it('opencv-jet starts at dark blue, and its blue leaves the line at 159', () => {
  const at = (i: number) => [...colormaps['opencv-jet'].subarray(i * 3, i * 3 + 3)];
  expect([at(0), at(96), at(159), at(255)]).toEqual([
    [0, 0, 128],
    [2, 255, 254],
    [254, 255, 1],
    [128, 0, 0],
  ]);
});

it('indexes as matplotlib does: truncated, both ends held', () => {
  expect([-0.5, 0, 0.00390624, 0.00390625, 0.5, 1, 1.2].map(colourIndex)).toEqual([
    0, 0, 0, 1, 128, 255, 255,
  ]);
});

it('takes colours at positions, as matplotlib’s from_list does', () => {
  // bytes(LinearSegmentedColormap.from_list('', [(0, '#ff8000'), (0.3, '#102030'), (1, '#00ff7f')])(range(256), bytes=True)[:, :3])
  expect(sha256(parseColormap('0:#ff8000, 0.3:102030, 1:#00FF7f') as Uint8Array)).toBe('f7646366a7097e22');
  expect(parseColormap('0:#ffffff,0.25:#000000,1:#000000')).toEqual(colormaps['custom-blue']);
  expect(parseColormap('viridis')).toBe('viridis');
});

it.each([
  'plasma',
  '0:#fff,1:#000',
  '0.1:#ffffff,1:#000000',
  '0:#ffffff,0.5:#000000',
  '0:#ffffff,0.5:#000000,0.5:#111111,1:#000000',
])('refuses %j as a colour map', (text) => {
  expect(() => parseColormap(text)).toThrow(/^colour map: expected jet, .* got/);
});
