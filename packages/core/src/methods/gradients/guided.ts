import { meetsRelu } from '../../autodiff/guided.ts';
import type { Warning } from '../../warning.ts';
import type { Seen } from '../method.ts';

/** The note of a method that treats ReLU in its own way, if the network has no ReLU. */
export const withoutRelu =
  (what: string, instead = 'the gradient') =>
  ({ g, image, logits }: Seen): Warning[] =>
    meetsRelu(g, image, logits)
      ? []
      : [
          {
            code: 'equals_gradient',
            message: `no ReLU lies between image and scores, so ${what} is ${instead}`,
          },
        ];
