import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Catalog,
  type Job,
  type ModelSource,
  type Rendered,
  type RenderingJob,
  type Validation,
  verify,
  workerPaths,
} from '@whylight/contract';
import { numericsVersion } from '@whylight/core/methods';
import { workerSecret } from '../secrets.ts';
import { type Loopback, listenOnLoopback } from './loopback.ts';

const labels = ['circle', 'square', 'crane', 'crane', 'star'].map((en) => ({
  en,
  zh: en === 'star' ? '星' : null,
}));

/** Two models; of the first the layers are known, the second cannot do Grad-CAM. */
export const catalog: Catalog = {
  device: 'cpu',
  models: [
    {
      name: 'shapes',
      digest: `sha256:${'a'.repeat(64)}`,
      preprocessing: `sha256:${'b'.repeat(64)}`,
      classes: labels.length,
      input_shape: [3, 128, 128],
      labels,
      methods: { 'grad-cam': null, saliency: null, 'integrated-gradients': null, occlusion: null },
      layers: [['relu2', 'dropout2'], ['conv2'], ['conv']],
      default: true,
    },
    {
      name: 'odd',
      digest: `sha256:${'c'.repeat(64)}`,
      preprocessing: `sha256:${'d'.repeat(64)}`,
      classes: 2,
      input_shape: [3, 224, 224],
      labels: null,
      methods: { 'grad-cam': 'node Loop_7: Loop has no derivative rule', occlusion: null },
      default: false,
    },
  ],
};

const damaged = { code: 'artifact_corrupt', message: 'It is damaged.', retryable: false };

const renderedBy = ({ output_prefix, style }: RenderingJob): Rendered => ({
  artifacts: (['overlay.png', 'heatmap.png'] as const).map((name) => ({
    name,
    object: output_prefix + name,
    sha256: '1'.repeat(64),
    bytes: 4,
    content_type: 'image/png',
  })),
  warnings:
    style.language === 'zh' ? [{ code: 'label_in_english', message: 'the class has no Chinese name' }] : [],
});

/** What the double finds in a model, which it does not read: `bad` is refused, `dice` gives other scores each time. */
const findingOf = ({ name }: ModelSource): Validation =>
  name === 'bad'
    ? {
        outcome: 'rejected',
        error: { code: 'model_unsupported_op', message: 'node "loop" (Loop) holds a sub-graph' },
      }
    : {
        outcome: 'ready',
        facts: {
          preprocessing: `sha256:${'e'.repeat(64)}`,
          classes: 3,
          input_shape: [3, 32, 32],
          methods: {
            'grad-cam': null,
            occlusion: null,
            saliency: 'no derivative rule for Hardmax: node "odd"',
          },
          ...(name === 'hurried' && { not_run: { occlusion: 'not run within the budget of 54 s' } }),
          numerics_version: numericsVersion,
          deterministic: name !== 'dice',
        },
        report: {
          ...{
            opset: 17,
            producer: 'test',
            nodes: 1,
            inputs: [],
            outputs: ['y'],
            layout: 'NCHW',
            classes: 3,
          },
          ...{ input_shape: [3, 32, 32], layers: [], unsupported: [], methods: [], notes: [] },
        },
      };

/**
 * A worker as the gateway sees one: it checks signatures, lists models and takes jobs. It computes nothing;
 * tests fetch the jobs from `/taken?key=` and send the reports themselves. `/drawn` lists what it was asked to draw, `/warmed` which models it was told to get ready. A PUT to `/answer`
 * sets what the next jobs, models and drawings are answered with; 422 is a damaged attribution.
 */
export async function startWorkerDouble(): Promise<Loopback> {
  const jobs: Job[] = [];
  const drawn: RenderingJob[] = [];
  const warmed: string[] = [];
  let answer = 202;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const body = (await request.setEncoding('utf8').toArray()).join('');
    if (url.startsWith('/taken?key=')) {
      const key = url.slice('/taken?key='.length);
      return void response.end(JSON.stringify(jobs.filter((job) => job.key === key)));
    }
    if (url.startsWith('/taken?image=')) {
      const image = url.slice('/taken?image='.length);
      return void response.end(JSON.stringify(jobs.filter((job) => job.question.image === image)));
    }
    if (url === '/drawn') return void response.end(JSON.stringify(drawn));
    if (url === '/warmed') return void response.end(JSON.stringify(warmed));
    if (url === '/answer') {
      answer = Number(body);
      return void response.end();
    }
    const headers = { get: (name: string) => request.headers[name.toLowerCase()] as string | undefined };
    const call = { direction: 'gateway-to-worker', method, path: url, body } as const;
    if (!(await verify(workerSecret, call, headers, Date.now() / 1000))) response.writeHead(401).end();
    else if (url.split('?')[0] === workerPaths.models)
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(catalog));
    else if (url === workerPaths.renderings) {
      const job = JSON.parse(body) as RenderingJob;
      drawn.push(job);
      response.writeHead(answer === 202 ? 200 : answer, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(answer === 422 ? damaged : renderedBy(job)));
    } else if (answer === 202 && url === workerPaths.validations) {
      const { model } = JSON.parse(body) as { model: ModelSource };
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(findingOf(model)));
    } else if (answer === 202 && url === workerPaths.warm) {
      warmed.push((JSON.parse(body) as { model: ModelSource }).model.id);
      response.writeHead(202).end();
    } else if (answer === 202) {
      jobs.push(JSON.parse(body) as Job);
      response.writeHead(202).end();
    } else response.writeHead(answer, { 'Retry-After': '1' }).end();
  }

  return listenOnLoopback(serve);
}
