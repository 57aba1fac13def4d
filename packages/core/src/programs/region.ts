import type { ClassMaps } from '../model/class-maps.ts';
import type { Value } from '../onnx/builder.ts';
import { Expression } from '../onnx/expression.ts';
import type { Region } from './network.ts';

/** What is found of a region in the maps of the images themselves. */
interface Found {
  /** The class of each image [images]: the one asked for, or that of most pixels of the region. */
  readonly target: Expression;
  /** How much each pixel counts, [images, 1, H, W]. */
  readonly weights: Expression;
  /** At how many pixels of the region each class is predicted, [images, classes]. */
  readonly counts: Expression;
}

/**
 * The region of each image: how much each pixel of the maps counts, [images, H, W]. -1 stands for one where the model
 * predicts the class, and nothing elsewhere.
 *
 * It is found once, in the maps of the images themselves; of changed images the same pixels are looked at.
 */
export class RegionOfImages implements Region {
  readonly kept: Value[] = [];
  private readonly given: Expression;
  private readonly asked: Expression;
  private readonly isFirst: boolean;
  private known: Found | undefined;

  /**
   * @param asked the class of each image; -1: that of most pixels of the region
   * @param isFirst whether the first row of the maps stands for the only image
   */
  constructor(given: Expression, asked: Expression, isFirst: boolean) {
    this.given = given;
    this.asked = asked;
    this.isFirst = isFirst;
  }

  get found(): Found {
    if (!this.known) throw new Error('the maps of the images come first');
    return this.known;
  }

  readonly weights = ({ g, maps, best }: ClassMaps): Value => {
    const first = (rows: Expression) => (this.isFirst && rows.shape[0] !== 1 ? rows.slice(0, 0, 1) : rows);
    const values = first(new Expression(g, maps));
    const classes = first(new Expression(g, best()));
    const given = this.given.unsqueeze(1);
    const inside = given.equals(0).not().castAs(values);
    const there = values.shape[1] === 1 ? classes.equals(classes.ints([0])) : values.equals(values.max([1]));
    const counts = there.castAs(values).mul(inside).sum([2, 3], false);
    const most = counts.emit('ArgMax', [], { axis: 1, keepdims: 0 });
    const target = this.asked.isLess(0).where(most, this.asked);
    const predicted = classes.equals(target.unsqueeze(1, 2, 3)).castAs(values);
    const weights = given.isLess(0).where(predicted, given);
    this.known = { target, weights, counts };
    this.kept.push(target.name, weights.name, counts.name);
    return weights.name;
  };

  /** The same pixels, of other images in the body of a loop. */
  get captured(): Region {
    const { weights } = this.found;
    return { weights: ({ g }) => g.capture(weights.g, weights.name), kept: [] };
  }
}
