/**
 * The worker as a process: settings from the environment, JSON lines to stdout, SIGTERM or SIGINT to stop. With `--model`
 * it stands alone and serves that model by KServe's protocols.
 */
import { processEnv } from './env.ts';
import { readOptions } from './kserve/options.ts';
import { startLoneWorker } from './kserve/worker.ts';
import { logTo } from './telemetry/log.ts';
import { startWorker } from './worker.ts';

const log = logTo((line) => process.stdout.write(line));
const args = process.argv.slice(2);

try {
  const worker =
    args.length > 0 ? await startLoneWorker(readOptions(args), log) : await startWorker(processEnv(), log);
  // Whoever watches over this process starts another, and the device with it.
  void worker.deviceLost.then(async () => {
    await worker.stop();
    process.exit(1);
  });
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      void worker.stop().then(() => process.exit(0));
    });
  await worker.started.catch(async (error: unknown) => {
    await worker.stop();
    throw error;
  });
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}
