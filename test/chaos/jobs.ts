import type { Tenant } from './tenants.ts';

export interface Job {
  readonly tenant: Tenant;
  readonly idempotencyKey: string;
  readonly kind: string;
  readonly body: object;
  /** Whether the job is canceled. */
  readonly canceled: boolean;
  /** Status of the refusal that it must get; absent: it must get an explanation. */
  readonly refused?: number;
}

interface Kind {
  readonly kind: string;
  readonly ask: object;
  readonly refused?: number;
}

/** Kinds of requests, cheap kinds more often than expensive ones; some are impossible. */
const kinds: readonly Kind[] = [
  ...Array<Kind>(4).fill({ kind: 'grad-cam', ask: { method: 'grad-cam' } }),
  ...Array<Kind>(2).fill({ kind: 'layer-cam', ask: { method: 'layer-cam' } }),
  ...Array<Kind>(2).fill({ kind: 'saliency', ask: { method: 'saliency' } }),
  { kind: 'integrated', ask: { method: 'integrated-gradients', parameters: { n_steps: 16 } } },
  { kind: 'smooth', ask: { method: 'smooth-grad', parameters: { nt_samples: 2 } } },
  { kind: 'no method', ask: { method: 'no-such-method' }, refused: 400 },
  { kind: 'no class', ask: { method: 'grad-cam', target: { class_index: 999 } }, refused: 422 },
];

/** Makes `count` jobs of these tenants, the same for the same seed: several of each question, some of them canceled. */
export function mixedJobs(tenants: readonly Tenant[], count: number, seed: number): Job[] {
  const random = generator(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  return Array.from({ length: count }, (_, n) => {
    const tenant = pick(tenants);
    const { kind, ask, refused } = pick(kinds);
    const target = { class_index: Math.floor(random() * 10) };
    return {
      tenant,
      kind,
      idempotencyKey: `chaos-${seed}-${n}`,
      body: { input: { upload: pick(tenant.photos).upload }, target, ...ask },
      canceled: refused === undefined && random() < 0.05,
      ...(refused === undefined ? {} : { refused }),
    };
  });
}

/** mulberry32: numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
