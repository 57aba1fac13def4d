/**
 * `node test/consumers/kserve-client.ts`: KServe's own Python client against a lone worker and against a gateway with the default
 * network, on ports of this machine. If Python or the package kserve is missing it says so and checks nothing; WHYLIGHT_PYTHON
 * names the Python.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { RunningService } from '../service/running-service.ts';
import { startLone } from './lone-worker.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const python = process.env.WHYLIGHT_PYTHON ?? 'python3';

const model = 'efficientnet-lite0';

/** Runs every call of the client. @returns its exit status */
function ask(url: string, key = ''): number {
  const args = [here('kserve_client.py'), url, model, here('../../apps/cli/photos/coffee.jpg')];
  const env = { ...process.env, WHYLIGHT_KEY: key };
  return spawnSync(python, args, { stdio: 'inherit', env }).status ?? 1;
}

if (spawnSync(python, ['-c', 'import kserve']).status !== 0) {
  console.log(`not shown: ${python} lacks kserve (pip install kserve; set WHYLIGHT_PYTHON)`);
} else {
  console.log('-- a lone worker');
  const { url, stop } = await startLone(model);
  const alone = ask(url);
  await stop();
  console.log('-- a gateway');
  const service = await RunningService.start({ models: [model] });
  const { url: gateway, api_key: key } = service.ready;
  const shared = ask(`${gateway}/v1/compat/kserve`, key);
  await service.remove();
  process.exitCode = alone || shared;
}
