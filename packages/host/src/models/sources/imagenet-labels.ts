import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Label, parseLabels } from '@whylight/core/preparation';

/** ImageNet's names, which come with the default network. */
export const imagenetLabels = (): Label[] => {
  const file = createRequire(import.meta.url).resolve('@whylight/models/efficientnet-lite0/labels.csv');
  return parseLabels(readFileSync(file, 'utf8'), 'csv');
};
