import { float32 } from '../tensor.ts';
import { constant, ints, x } from '../testing/cases.ts';
import { describeRules, rule, single } from '../testing/rule-cases.ts';
import { resize } from './resize.ts';

const scales = (...values: number[]) => constant(float32([values.length], values));
const image = x(-1, 2, 4, 5);
const grown = ints(2, 2, 7, 11);
const shrunk = ints(2, 2, 3, 2);
const still = x(2, 2, 4, 5);
const modes = ['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel', 'half_pixel_symmetric'];

describeRules('resize', resize, [
  ...modes.flatMap((coordinate_transformation_mode) =>
    ['nearest', 'linear', 'cubic'].flatMap((mode) => {
      const opset = coordinate_transformation_mode === 'half_pixel_symmetric' ? 19 : 17;
      return [
        rule(
          'Resize',
          `${mode}, ${coordinate_transformation_mode}, larger`,
          [still, '', '', grown],
          { mode, coordinate_transformation_mode },
          { ...single, opset },
        ),
        rule(
          'Resize',
          `${mode}, ${coordinate_transformation_mode}, smaller`,
          [still, '', '', shrunk],
          { mode, coordinate_transformation_mode },
          { ...single, opset },
        ),
        rule(
          'Resize',
          `${mode}, ${coordinate_transformation_mode}, by scales`,
          [image, '', scales(1, 1, 1.6, 2)],
          { mode, coordinate_transformation_mode },
          { ...single, opset },
        ),
      ];
    }),
  ),
  ...['floor', 'ceil', 'round_prefer_floor', 'round_prefer_ceil'].map((nearest_mode) =>
    rule(
      'Resize',
      `nearest, ${nearest_mode}`,
      [image, '', scales(1, 1, 2, 0.5)],
      { nearest_mode, mode: 'nearest', coordinate_transformation_mode: 'half_pixel' },
      single,
    ),
  ),
  rule(
    'Resize',
    'a scale too small to change one axis',
    [image, '', scales(1, 1, 1.1, 2)],
    { mode: 'linear' },
    single,
  ),
  rule(
    'Resize',
    'a scale too small to change the size',
    [image, '', scales(1, 1, 1.1, 1)],
    { mode: 'linear' },
    single,
  ),
  rule(
    'Resize',
    'cubic, coefficient -0.5, padding left out',
    [image, '', scales(1, 1, 1.6, 2)],
    { mode: 'cubic', cubic_coeff_a: { float: -0.5 }, exclude_outside: 1 },
    single,
  ),
  rule(
    'Resize',
    'linear, antialiased',
    [still, '', '', shrunk],
    { mode: 'linear', antialias: 1 },
    { ...single, opset: 18 },
  ),
  rule(
    'Resize',
    'some axes',
    [image, '', '', ints(7, 9)],
    { mode: 'linear', axes: [2, 3] },
    { ...single, opset: 18 },
  ),
  rule(
    'Resize',
    'some axes by scales',
    [image, '', scales(2, 1.5)],
    { mode: 'linear', axes: [2, -1] },
    { ...single, opset: 18 },
  ),
]);
