/** Run as a process: `node probe.ts PROVIDER DEVICE` exits with 0 when the provider runs a graph. */
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import type { ExecutionProvider } from './provider.ts';
import { sessionOptions } from './session-options.ts';
import { tinyModel } from './tiny-model.ts';

const [provider, deviceId] = process.argv.slice(2);
env.logLevel = 'error';
try {
  const options = sessionOptions({ ep: provider as ExecutionProvider, deviceId: Number(deviceId) });
  const session = await InferenceSession.create(tinyModel, options);
  await session.run({ x: new Tensor('float32', Float32Array.of(-1), [1]) });
  process.exitCode = 0;
} catch (error) {
  process.stdout.write(String((error as Error).message));
  process.exitCode = 1;
}
