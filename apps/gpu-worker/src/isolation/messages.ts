import type { ModelManifest, Validation } from '@whylight/contract';
import type { LoopState } from '@whylight/core';
import type {
  Classification,
  ExecutionProvider,
  MethodVerdict,
  PhotoExplanation,
  PhotoRequest,
} from '@whylight/host';
import { z } from 'zod';
import { loopStateSchema } from './loop-state.ts';

// Messages between the worker and the process that holds a tenant's model. The model's bytes come by stdin.

export interface Load {
  readonly op: 'load';
  readonly name: string;
  readonly sha256: string;
  readonly manifest: ModelManifest;
  /** The device's name in the worker's own runtime. */
  readonly device: string;
  readonly ep: ExecutionProvider;
  readonly deviceId: number;
  readonly threads: number | undefined;
}

export interface Explain {
  readonly op: 'explain';
  readonly request: Omit<PhotoRequest, 'model'>;
  /** The state from which to go on. */
  readonly state: LoopState | undefined;
}

/** The requests of the worker to the process. */
export type Ask =
  | Load
  | { readonly op: 'examine'; readonly budget: number }
  | Explain
  | { readonly op: 'classify'; readonly photo: Uint8Array; readonly count: number }
  | { readonly op: 'warm' };

/** The answers of the process. */
interface Values {
  load: null;
  examine: Validation;
  explain: PhotoExplanation;
  classify: Classification;
  warm: null;
}
export type Value = Values[keyof Values];

/** The findings of an examination while it runs. */
export type Found =
  | { readonly started: Validation }
  | { readonly running: string }
  | { readonly verdict: MethodVerdict };

/** Messages of the process before its answer: its findings, its progress, its state, and its usage since it began. */
export type Notice =
  | { readonly state: LoopState }
  | { readonly found: Found }
  | { readonly progress: readonly [completed: number, total: number] }
  | { readonly usage: { readonly runs: number; readonly rss: number } };

/** A stranger may control the process: the worker reads nothing else from it. `Examination` checks the findings. */
export const noticeSchema = z.union([
  z.object({ state: loopStateSchema }),
  z.object({ progress: z.tuple([z.int().min(0), z.int().min(0)]) }),
  z.object({ usage: z.object({ runs: z.int().min(0), rss: z.number().min(0) }) }),
  z.object({ found: z.unknown() }),
]);
