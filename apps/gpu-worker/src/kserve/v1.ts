import type { Prediction } from '@whylight/contract';
import { checkMembers, described, jsonOf, type Members, objectOf } from '@whylight/contract/kserve';
import { getOwn, sizeOf, type Tensor } from '@whylight/core';
import { Hono } from 'hono';
import type { KServe, Variables } from './app-context.ts';
import { wishOf } from './explanation-wish.ts';
import { type Instance, photoOf, tensorOf } from './instance.ts';
import { mostInstances } from './limits.ts';
import { Refusal } from './refusal.ts';
import type { Explained, ServedModel } from './served-model.ts';
import { topKOf } from './top-k.ts';

/** KServe's V1, with the answers of the gateway's route for it. */
export function v1Routes({ served, named, checkReady }: KServe): Hono<Variables> {
  return new Hono<Variables>()
    .get('/models', (c) => c.json({ models: served() ? [served()!.name] : [] }))
    .get('/models/:name', (c) => {
      const name = c.req.param('name');
      checkReady(name);
      return c.json({ name, ready: true });
    })
    .post('/models/:call', async (c) => {
      const [, name, verb] = /^(.*):(predict|explain)$/.exec(c.req.param('call')) ?? [];
      if (name === undefined)
        throw new Refusal(404, 'expected POST /v1/models/NAME:predict or /v1/models/NAME:explain');
      const model = named(name);
      const { instances, parameters } = requestOf(c.var.body, model);
      if (verb === 'explain')
        return c.json(await explain(model, { instances, parameters, signal: c.var.signal }));
      const count = topKOf(parameters, 'parameters');
      return c.json({ predictions: (await model.predict(instances, count)).map(listed) });
    });
}

interface Asked {
  readonly instances: readonly Instance[];
  readonly parameters: Members;
  readonly signal: AbortSignal;
}

async function explain(model: ServedModel, { instances, parameters, signal }: Asked): Promise<object> {
  const wish = wishOf(parameters, 'parameters');
  if (wish.overlay && instances.some(({ photo }) => photo === undefined))
    throw new Refusal(400, 'parameters.overlay: a tensor shows no picture to draw on; send an image');
  const explained = await model.explain(instances, wish, signal);
  return {
    predictions: explained.map(({ result }) => listed(result.predictions)),
    explanations: explained.map((one) => explanationOf(one, wish.overlay)),
  };
}

function explanationOf({ result, attribution, overlay }: Explained, withPicture: boolean): object {
  const { method, layers, target, convergence_delta, warnings } = result;
  return {
    ...{ method, layers, convergence_delta, warnings },
    target: plain(target),
    shape: attribution.shape.slice(1),
    sum: attribution.data.reduce((sum, value) => sum + value, 0),
    attribution: listsOf(attribution, 1),
    ...(withPicture && { overlay: { b64_png: Buffer.from(overlay!).toString('base64') } }),
  };
}

const plain = ({ label_zh: _, ...prediction }: Prediction): object => prediction;
const listed = (predictions: readonly Prediction[]): object[] => predictions.map(plain);

/** A tensor as lists within lists, from axis `axis` on. */
function listsOf({ shape, data }: Tensor<'float32'>, axis: number): unknown[] {
  const below = shape.slice(axis + 1);
  if (below.length === 0) return Array.from(data);
  const step = sizeOf(below);
  return Array.from({ length: shape[axis]! }, (_, i) =>
    listsOf({ dtype: 'float32', shape, data: data.subarray(i * step, (i + 1) * step) }, axis + 1),
  );
}

/** @throws Refusal, KServeFault */
function requestOf(body: Uint8Array, model: ServedModel): { instances: Instance[]; parameters: Members } {
  const given = objectOf(jsonOf(body), 'the body');
  checkMembers(given, ['instances', 'parameters'], 'the body');
  const { instances, parameters = {} } = given;
  if (!Array.isArray(instances) || instances.length < 1 || instances.length > mostInstances)
    throw new Refusal(
      400,
      `instances: expected a list of 1 to ${mostInstances} images; got ${described(instances)}`,
    );
  return {
    instances: instances.map((one, n) => instanceOf(one, `instances[${n}]`, model)),
    parameters: objectOf(parameters, 'parameters'),
  };
}

/** An image file in one of the forms that the gateway takes, or a tensor as lists. @throws Refusal, KServeFault */
function instanceOf(given: unknown, where: string, { classifier }: ServedModel): Instance {
  const { inputShape } = classifier;
  if (Array.isArray(given)) {
    const { data } = tensorOf(given, inputShape, where);
    return { tensor: { dtype: 'float32', shape: [1, ...inputShape], data } };
  }
  const members = typeof given === 'object' && given !== null ? (given as Members) : {};
  const [member, ...others] = Object.keys(members);
  const value = member === undefined ? undefined : getOwn(members, member);
  if (others.length === 0 && (member === 'b64' || member === 'data')) return photoOf(value, where);
  if (others.length === 0 && (member === 'image' || member === 'image_bytes')) {
    const below = objectOf(value, `${where}.${member}`);
    checkMembers(below, ['b64'], `${where}.${member}`);
    return photoOf(below.b64, `${where}.${member}.b64`);
  }
  throw new Refusal(
    400,
    `${where}: expected {"b64": "..."}, {"image": {"b64": "..."}}, {"image_bytes": {"b64": "..."}}, {"data": "..."}, or the tensor [${inputShape.join(', ')}] as lists; got ${described(given)}`,
  );
}
