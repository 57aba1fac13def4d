import { z } from 'zod';
import { sha256 } from './wire.ts';

/**
 * A worker that stops in order hands its attempt back. If the method has samples, it first writes what they have added up
 * to as one object, the checkpoint, and names it in its report. The job of the next attempt names the same object, and its
 * worker goes on from there.
 */

/** Longest checkpoint that a worker writes, in bytes. Of a job whose state is longer nothing is kept. */
export const largestCheckpoint = 64 * 2 ** 20;

/** The name of the checkpoint beside the artifacts with this prefix (`artifactPrefix`). No client gets to see it. */
export const checkpointUnder = (prefix: string): string => `${prefix}checkpoint`;

const members = { object: z.string(), sha256, bytes: z.int().min(1).max(largestCheckpoint) };

/** The checkpoint in a job: the object that an earlier attempt has written. */
export const checkpointSourceSchema = z.strictObject(members);
export type CheckpointSource = z.infer<typeof checkpointSourceSchema>;

/** The checkpoint in a report: the object, and how many samples are done and are to do in all. */
export const checkpointSchema = z.object({
  ...members,
  completed: z.int().min(0),
  total: z.int().min(1),
});
export type Checkpoint = z.infer<typeof checkpointSchema>;
