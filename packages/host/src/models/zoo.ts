import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ownFile } from '../own-file.ts';

const entrySchema = z.object({
  name: z.string().min(1),
  /** Relative to `base`, or absolute. */
  path: z.string(),
  bytes: z.int().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  preprocessing: z.unknown().optional(),
});

/** An index of models to download, each with its size and SHA-256. */
export const zooSchema = z.object({
  base: z.url(),
  licence: z.string().optional(),
  models: z.array(entrySchema),
});
export type Zoo = z.infer<typeof zooSchema>;

/** Reads an index. Default: the one that comes with Whylight, with classifiers of the ONNX model zoo. @throws what parsing throws */
export async function readZoo(file: string | URL = ownFile('zoo.json')): Promise<Zoo> {
  return zooSchema.parse(JSON.parse(await readFile(file, 'utf8')));
}
