import type { Artifact, Explanation, Question, Style } from '@whylight/contract';
import { methods } from '@whylight/core/methods';
import type { Run } from './run.ts';
import { isResolved } from './unresolved.ts';

/** The data that the API shows of an explanation in addition to its run. */
export interface Asked {
  readonly id: string;
  readonly cache_status: Explanation['cache']['status'];
  readonly model_name: string;
  readonly model_id: string | null;
  readonly request_id: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly style: Style;
  readonly metadata: Explanation['metadata'];
}

/** The explanation as the API shows it, from its row and its run. */
export function presentExplanation(asked: Asked, shared: Run, now: number): Explanation {
  const run = expiredFor(asked, shared, now);
  const { question, key } = run.submission;
  const self = `/v1/explanations/${asked.id}`;
  return {
    id: asked.id,
    object: 'explanation',
    status: run.status,
    created_at: asked.created_at,
    started_at: time(run.startedAt),
    completed_at: time(run.completedAt),
    input: { sha256: question.image },
    model: {
      id: (asked.model_id ?? asked.model_name) || null,
      name: asked.model_name || null,
      digest: question.model || null,
    },
    method: question.method,
    method_version: question.method_version,
    convention: question.convention,
    parameters: question.parameters,
    layers: run.result?.layers ?? question.layers,
    target: answeredTarget(question),
    language: asked.style.language,
    output: { visualization: asked.style.visualization },
    metadata: asked.metadata,
    cache: { status: asked.cache_status, key: isResolved(run) ? `sha256:${key}` : null },
    progress: run.progress,
    task: run.result?.task ?? null,
    predictions: run.result?.predictions ?? [],
    attributions: attributionsOf(run, self),
    metrics: metricsOf(run),
    warnings: run.result?.warnings ?? [],
    error: run.error,
    expires_at: asked.expires_at,
    expired: run.erased,
    urls: { self, cancel: `${self}/cancel`, events: `${self}/events` },
    request_id: asked.request_id,
  };
}

/** The target as answers repeat it; a question of an earlier release has the score that its method explains. */
function answeredTarget({ method, target, score }: Question): Explanation['target'] {
  const own = methods.find(({ id }) => id === method)?.score ?? 'logit';
  const said = { type: 'class' as const, score: score ?? own };
  if (target === 'predicted') return { ...said, index: target };
  // Only the question of an explanation that waits for a catalog has a label; any other was resolved to an index.
  if ('label' in target) return said;
  return 'terms' in target ? { ...said, terms: target.terms } : { ...said, index: target.class_index };
}

/** The run as an explanation sees it: without a result once its own time is over, however long others keep the result. */
export const expiredFor = ({ expires_at }: Pick<Asked, 'expires_at'>, run: Run, now: number): Run =>
  run.status === 'succeeded' && Date.parse(expires_at) <= now
    ? { ...run, result: null, artifacts: [], erased: true }
    : run;

function attributionsOf({ result, artifacts }: Run, self: string): Explanation['attributions'] {
  if (!result?.attribution) return [];
  const link = (name: Artifact['name']) => linkTo(artifacts, name, `${self}/artifacts/${name}`);
  const { target, attribution } = result;
  return [
    {
      output_index: target.class_index,
      output_display_name: target.label,
      output_display_name_zh: target.label_zh,
      ...(target.probability === undefined ? {} : { probability: target.probability }),
      score: target.score,
      shape: attribution.shape,
      minimum: attribution.minimum,
      maximum: attribution.maximum,
      attribution_sum: attribution.sum,
      convergence_delta: attribution.convergence_delta,
      image: result.image,
      input_region: result.input_region,
      artifacts: {
        overlay: link('overlay.png'),
        heatmap: link('heatmap.png'),
        attribution: link('attribution.npy'),
        result: link('result.json'),
      },
    },
  ];
}

/** Gives one of `artifacts` in the form that clients see. */
export function linkTo(artifacts: readonly Artifact[], name: Artifact['name'], url: string) {
  const { sha256, bytes, content_type } = artifacts.find((artifact) => artifact.name === name)!;
  return { name, url, sha256, bytes, content_type };
}

const metricsOf = ({ result, createdAt, startedAt }: Run): Explanation['metrics'] =>
  result && {
    queue_ms: (startedAt ?? createdAt) - createdAt,
    decode_ms: result.milliseconds.decode,
    compute_ms: result.milliseconds.compute,
    render_ms: result.milliseconds.render,
    device: result.device,
  };

const time = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();
