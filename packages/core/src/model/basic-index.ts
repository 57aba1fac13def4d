import { InputError } from '../errors.ts';

/** Elements of an axis: from `start` up to `end` in steps of `step`, which is positive. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/**
 * What NumPy's basic slicing takes of each axis of a shape: numbers, slices `start:stop:step` and one ellipsis, negative
 * numbers counted from the end. A reduction does not ask for an order, so that a negative step is turned round.
 *
 * @param what what is indexed, for messages
 * @throws InputError invalid_parameter
 */
export function spansOf(index: string, shape: readonly number[], what: string): Span[] {
  const refuse = (message: string): never => {
    throw new InputError('invalid_parameter', `${what}: ${message}`, ['score']);
  };
  const terms = index === '' ? [] : index.split(',').map((term) => term.trim());
  const gap = terms.indexOf('...');
  if (gap !== terms.lastIndexOf('...'))
    refuse(`index [${index}] has more than one ellipsis (...); write one`);
  const given = terms.length - (gap < 0 ? 0 : 1);
  if (given > shape.length)
    refuse(
      `index [${index}] has ${given} places, but the value has ${shape.length} axes beside the batch: [${shape.join(', ')}]; the index leaves out the batch`,
    );
  const filling = Array<string>(shape.length - given).fill(':');
  const at = gap < 0 ? terms.length : gap;
  const all = [...terms.slice(0, at), ...filling, ...terms.slice(gap < 0 ? at : at + 1)];
  return all.map((term, axis) =>
    spanOf(term, shape[axis]!, (message) =>
      refuse(`${message} (axis ${axis} of [${shape.join(', ')}], counted from 0 without the batch)`),
    ),
  );
}

const integer = /^[+-]?\d{1,10}$/;

function spanOf(term: string, size: number, refuse: (message: string) => never): Span {
  if (/^(none|newaxis|np\.newaxis)$/i.test(term))
    return refuse(`"${term}" adds an axis, which changes no score; leave it out`);
  if (integer.test(term)) {
    const asked = Number(term);
    const place = asked < 0 ? asked + size : asked;
    if (place < 0 || place >= size)
      return refuse(`index ${asked} is out of range: expected ${-size} to ${size - 1}`);
    return { start: place, end: place + 1, step: 1 };
  }
  const parts = term.split(':').map((part) => part.trim());
  if (parts.length < 2 || parts.length > 3 || !parts.every((part) => part === '' || integer.test(part)))
    return refuse(`"${term}" is no index; expected a number, a slice such as 10:20 or ::2, or ...`);
  const [from, to, by = ''] = parts as [string, string, string?];
  const step = by === '' ? 1 : Number(by);
  if (step === 0) return refuse(`the step of "${term}" is 0; expected another number`);
  const bound = (part: string, open: number, low: number, high: number): number => {
    if (part === '') return open;
    const asked = Number(part);
    return Math.min(Math.max(asked < 0 ? asked + size : asked, low), high);
  };
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const start = bound(from, step > 0 ? 0 : size - 1, low, high);
  const stop = bound(to, step > 0 ? size : -1, low, high);
  const count = Math.ceil((stop - start) / step);
  if (count <= 0) return refuse(`"${term}" takes nothing of ${size} elements; a score needs one or more`);
  const last = start + (count - 1) * step;
  return { start: Math.min(start, last), end: Math.max(start, last) + 1, step: Math.abs(step) };
}
