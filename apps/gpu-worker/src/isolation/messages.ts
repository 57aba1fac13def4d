import type { ModelManifest, Validation } from '@whylight/contract';
import type {
  Classification,
  ExecutionProvider,
  MethodVerdict,
  PhotoExplanation,
  PhotoRequest,
} from '@whylight/host';
import { z } from 'zod';

// What the worker and the process that holds a tenant's model say to each other. The model's bytes come by stdin.

export interface Load {
  readonly op: 'load';
  readonly name: string;
  readonly sha256: string;
  readonly manifest: ModelManifest;
  /** As the worker's own runtime calls it. */
  readonly device: string;
  readonly ep: ExecutionProvider;
  readonly deviceId: number;
  readonly threads: number | undefined;
}

/** What the worker asks of the process. */
export type Ask =
  | Load
  | { readonly op: 'examine'; readonly budget: number }
  | { readonly op: 'explain'; readonly request: Omit<PhotoRequest, 'model'> }
  | { readonly op: 'classify'; readonly photo: Uint8Array; readonly count: number }
  | { readonly op: 'warm' };

/** What the process answers. */
interface Values {
  load: null;
  examine: Validation;
  explain: PhotoExplanation;
  classify: Classification;
  warm: null;
}
export type Value = Values[keyof Values];

/** What an examination finds on its way. */
export type Found =
  | { readonly started: Validation }
  | { readonly running: string }
  | { readonly verdict: MethodVerdict };

/** From the process, before its answer: what it finds, how far it is, and what it has used since it began. */
export type Notice =
  | { readonly found: Found }
  | { readonly progress: readonly [completed: number, total: number] }
  | { readonly usage: { readonly runs: number; readonly rss: number } };

/** The process may be a stranger's by now: the worker reads nothing else from it. `Examination` checks what was found. */
export const noticeSchema = z.union([
  z.object({ progress: z.tuple([z.number(), z.number()]) }),
  z.object({ usage: z.object({ runs: z.int().min(0), rss: z.number().min(0) }) }),
  z.object({ found: z.unknown() }),
]);
