import type { Warning } from '../warning.ts';
import type { Asked, Axiom, Exceptions, Method, Seen } from './method.ts';

/** Explains why axioms of a method do not hold for a request, and for the network if a network is given. */
export function exceptionsTo(method: Method, asked: Asked<unknown>, network?: Seen): Exceptions {
  const found: Exceptions = {
    ...(network && method.exceptionsOf?.(network, asked)),
    ...method.exceptions?.(asked),
  };
  return Object.fromEntries(
    (method.axioms ?? []).flatMap((axiom) => (found[axiom] ? [[axiom, found[axiom]]] : [])),
  );
}

/** Lists the axioms that hold for a request, and for the network if a network is given. */
export function claimed(method: Method, asked: Asked<unknown>, network?: Seen): Axiom[] {
  const exceptions = exceptionsTo(method, asked, network);
  return (method.axioms ?? []).filter((axiom) => exceptions[axiom] === undefined);
}

/** Gives remarks on a method for this network, whatever the image, for the reader of the explanation. */
export const remarksOn = (method: Method, asked: Asked<unknown>, network: Seen): Warning[] => [
  ...Object.entries(method.exceptionsOf?.(network, asked) ?? {}).map(([axiom, reason]) => ({
    code: `no_${axiom.replaceAll(' ', '_')}`,
    message: `${meaning[axiom as Axiom]}: ${reason}`,
  })),
  ...(method.remarksOn?.(network, asked) ?? []),
];

const meaning: Readonly<Record<Axiom, string>> = {
  completeness:
    "attributions need not add up to the score's difference from the baseline, and convergence_delta is what is missing",
  dummy: 'pixels that do not count need not have 0',
  linearity: 'the attribution of two classes together need not be the sum of both attributions',
  'implementation invariance': 'another network of the same function may have another attribution',
};
