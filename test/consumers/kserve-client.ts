/**
 * `node test/consumers/kserve-client.ts`: KServe's own Python client against a lone worker with the default network, on a
 * port of this machine. If Python or the package kserve is missing it says so and checks nothing; WHYLIGHT_PYTHON names
 * the Python.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startLone } from './lone-worker.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const python = process.env.WHYLIGHT_PYTHON ?? 'python3';

const model = 'efficientnet-lite0';

if (spawnSync(python, ['-c', 'import kserve']).status !== 0) {
  console.log(`not shown: ${python} lacks kserve (pip install kserve; set WHYLIGHT_PYTHON)`);
} else {
  const { url, stop } = await startLone(model);
  const photo = here('../../apps/cli/photos/coffee.jpg');
  const { status } = spawnSync(python, [here('kserve_client.py'), url, model, photo], { stdio: 'inherit' });
  await stop();
  process.exitCode = status ?? 1;
}
