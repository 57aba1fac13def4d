import type { Batch, Explanation, ExplanationAsked } from '@whylight/contract';

/** A batch as its object stores it. */
export interface BatchState {
  readonly id: string;
  readonly tenant: string;
  readonly requestId: string;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly canceled: boolean;
  readonly items: readonly BatchItem[];
}

export type Refused = NonNullable<Batch['items'][number]['error']>;

/** An item that waits to begin, was refused or canceled, or has become the explanation that `key` and `run` identify. */
export type BatchItem =
  | {
      readonly state: 'waiting';
      readonly id: string;
      readonly asked: ExplanationAsked;
      /** Number of failures because of a fault of the service; absent: 0. */
      readonly faults?: number;
    }
  | { readonly state: 'refused'; readonly error: Refused }
  | { readonly state: 'canceled' }
  | {
      readonly state: 'made';
      readonly id: string;
      readonly key: string;
      readonly run: number;
      /** The status when the batch last read it. */
      readonly status: Explanation['status'];
    };

export const isOver = (item: BatchItem): boolean =>
  item.state === 'made' ? item.status !== 'queued' && item.status !== 'processing' : item.state !== 'waiting';

export function presentBatch(state: BatchState): Batch {
  const { id, items, createdAt, canceled, requestId } = state;
  const over = items.every(isOver);
  const statusOf = (item: BatchItem) => (item.state === 'made' ? item.status : item.state);
  const counts = { total: items.length, waiting: 0, refused: 0, queued: 0, processing: 0 };
  const ends = { succeeded: 0, failed: 0, canceled: 0, aborted: 0 };
  const all: Batch['counts'] = { ...counts, ...ends };
  for (const item of items) all[statusOf(item)] += 1;
  const self = `/v1/batches/${id}`;
  return {
    id,
    object: 'batch',
    status: over ? (canceled ? 'canceled' : 'completed') : 'processing',
    created_at: new Date(createdAt).toISOString(),
    counts: all,
    items: items.map((item, index) => ({
      index,
      status: statusOf(item),
      explanation: item.state === 'made' ? item.id : null,
      error: item.state === 'refused' ? item.error : null,
    })),
    urls: { self, cancel: `${self}/cancel` },
    request_id: requestId,
  };
}
