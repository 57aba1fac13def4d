import { readdir, readFile } from 'node:fs/promises';
import { type Job, type ModelSource, type Validation, validationSchema } from '@whylight/contract';
import { colourNetwork } from '@whylight/host/testing';
import { disc, sha256, type World } from './world.ts';

export const bareManifest = {
  ...{ labels: null, preprocessing: null, cam_tensor: null, fixed_inputs: null },
  scores: null,
};

let count = 0;

/** Puts a model where a tenant's would be. `change` may make its description differ from the file. */
export function bring(
  { storage }: World,
  bytes: Uint8Array = colourNetwork(),
  change: Partial<ModelSource> = {},
): ModelSource {
  const id = `mdl_${String(++count).padStart(26, '0')}`;
  const object = change.object ?? `t/acme/m/${id}`;
  storage.objects.set(object, { bytes, about: null });
  const manifest = bareManifest;
  return {
    ...{ id, name: 'mine', object, bytes: bytes.byteLength, sha256: sha256(bytes), manifest },
    ...change,
  };
}

/** Puts a model where that of tenant `tenant` would be. */
export const bringOf = (world: World, tenant: string, bytes?: Uint8Array): ModelSource =>
  bring(world, bytes, { object: `t/${tenant}/m/${count}` });

/** Writes down the models whose bytes the worker reads, in order. */
export function followReads({ storage }: World): ModelSource['object'][] {
  const read: string[] = [];
  const get = storage.get.bind(storage);
  storage.get = (object) => {
    if (object.includes('/m/')) read.push(object);
    return get(object);
  };
  return read;
}

/** Has the worker examine the model. @returns the findings, or the status of a refusal */
export async function examined({ call }: World, model: ModelSource): Promise<Validation | number> {
  const body = JSON.stringify({ model, request_id: 'req_test' });
  const response = await call('POST', '/v1/validations', body);
  return response.ok ? validationSchema.parse(await response.json()) : response.status;
}

/** A job for a tenant's model, by occlusion with few windows if not said. */
export async function jobOf(
  world: World,
  model: ModelSource,
  { question, ...change }: Parameters<World['prepared']>[1] = {},
): Promise<Job> {
  return world.prepared(await disc(), {
    model,
    ...change,
    question: { model: `sha256:${model.sha256}`, preprocessing: `sha256:${'0'.repeat(64)}`, ...question },
  });
}

/** Lists the pids of this process's processes that hold models. */
export async function processes(): Promise<number[]> {
  const found = (await readdir('/proc')).filter(Number).map(async (pid) => {
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    const [stat, command] = [await read('stat'), await read('cmdline')];
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    return parent === process.pid && command.includes('isolation/main.ts') ? [Number(pid)] : [];
  });
  return (await Promise.all(found)).flat();
}
