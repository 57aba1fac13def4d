import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Label, parseLabels } from '@whylight/core/preparation';

/** ImageNet's names, which come with the default network. */
export const imagenetLabels = (): Label[] =>
  parseLabels(
    readFileSync(
      fileURLToPath(new URL('../../../../../models/efficientnet-lite0/labels.csv', import.meta.url)),
      'utf8',
    ),
    'csv',
  );
