import {
  bytesInput,
  explanationOutputs,
  jsonLengthHeader,
  type Outputs,
  readV2Request,
  type V2Request,
  type V2Takes,
  writeV2Body,
} from '@whylight/contract/kserve';
import type { Classifier } from '@whylight/core';
import type { Context } from 'hono';
import { Hono } from 'hono';
import type { KServe, Variables } from './app-context.ts';
import { wishOf } from './explanation-wish.ts';
import { mostInstances } from './limits.ts';
import { Refusal } from './refusal.ts';
import type { ServedModel } from './served-model.ts';
import { topKOf } from './top-k.ts';
import { instancesOf } from './v2-instances.ts';
import { outputsOf, predictionOutputs } from './v2-predictions.ts';

/** Suffix under which the explainer is a model of its own for clients of V2, whose protocol has no verb to explain. */
const explainerSuffix = '-explainer';

interface Answer {
  readonly outputs: Outputs;
  readonly parameters?: Readonly<Record<string, string>> | undefined;
}

/** KServe's V2, the Open Inference Protocol. */
export function v2Routes({ version, served, named, checkReady }: KServe): Hono<Variables> {
  /** The model that a path names, and whether it names the explainer. @throws Refusal */
  const found = (c: Context) => {
    const name = c.req.param('name')!;
    const isExplainer = name === `${served()?.name}${explainerSuffix}`;
    return { name, isExplainer, model: named(isExplainer ? name.slice(0, -explainerSuffix.length) : name) };
  };
  const answer = async (c: Context<Variables>, verb: 'infer' | 'explain') => {
    const { name, isExplainer, model } = found(c);
    const isExplained = isExplainer || verb === 'explain';
    const known = metadataOf(name, model, isExplained).outputs.map((output) => output.name);
    const takes = takenBy(model.classifier);
    const request = readV2Request(c.var.body, c.req.header(jsonLengthHeader), { takes, known });
    const { outputs, parameters } = isExplained
      ? await explain(model, request, c.var.signal)
      : await infer(model, request);
    const { id, isBinary } = request;
    const { body, headers } = writeV2Body({
      ...{ model: name, id, parameters, isBinary },
      outputs: request.choose(outputs),
    });
    return c.body(body, 200, headers);
  };

  return new Hono<Variables>()
    .get('/', (c) => c.json({ name: 'whylight', version, extensions: ['binary_tensor_data'] }))
    .get('/health/live', (c) => c.json({ live: true }))
    .get('/health/ready', (c) => c.json({ ready: served() !== undefined }, served() ? 200 : 503))
    .get('/models', (c) => {
      const { name } = served() ?? {};
      return c.json({ models: name === undefined ? [] : [name, name + explainerSuffix] });
    })
    .get('/models/:name', (c) => {
      const { name, isExplainer, model } = found(c);
      return c.json(metadataOf(name, model, isExplainer));
    })
    .get('/models/:name/ready', (c) => {
      const { name, model } = found(c);
      checkReady(model.name);
      return c.json({ name, ready: true });
    })
    .post('/models/:name/infer', (c) => answer(c, 'infer'))
    .post('/models/:name/explain', (c) => answer(c, 'explain'));
}

const takenBy = ({ input, inputShape }: Classifier): V2Takes => ({
  most: mostInstances,
  floats: { name: input.name, shape: inputShape },
});

function metadataOf(name: string, { classifier, hasProbabilities }: ServedModel, isExplainer: boolean) {
  const { input, inputShape } = classifier;
  return {
    name,
    platform: 'onnx_onnxv1',
    // A request has one of the two.
    inputs: [
      { name: bytesInput, datatype: 'BYTES', shape: [-1] },
      { name: input.name, datatype: 'FP32', shape: [-1, ...inputShape] },
    ],
    outputs: outputsOf(classifier, hasProbabilities, isExplainer ? 'explain' : 'infer'),
  };
}

async function infer(model: ServedModel, { input, parameters }: V2Request): Promise<Answer> {
  const count = topKOf(parameters, 'parameters');
  const instances = instancesOf(input);
  return { outputs: predictionOutputs(await model.predict(instances, model.classifier.classes), count) };
}

async function explain(model: ServedModel, request: V2Request, signal: AbortSignal): Promise<Answer> {
  const wish = wishOf(request.parameters, 'parameters');
  const wantsPicture = wish.overlay || request.names('overlay');
  if (wantsPicture && !request.input.files)
    throw new Refusal(400, `overlay: a tensor shows no picture to draw on; send "${bytesInput}"`);
  const explained = await model.explain(instancesOf(request.input), wish, signal);
  const warnings = explained.map(({ result }) => result.warnings);
  return {
    outputs: explanationOutputs(
      explained.map(({ result, ...made }) => ({ ...result, ...made })),
      wantsPicture,
    ),
    // A value of V2's parameters is a text or a number.
    parameters: warnings.some(({ length }) => length > 0)
      ? { warnings: JSON.stringify(warnings) }
      : undefined,
  };
}
