import { meetsRelu } from '../../autodiff/guided.ts';
import type { Warning } from '../../warning.ts';
import type { Seen } from '../method.ts';

/** Makes the note for a method with a special rule for ReLU, if no ReLU lies between image and scores. */
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
