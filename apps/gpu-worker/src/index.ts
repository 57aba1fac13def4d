/** The worker as a process: settings from the environment, JSON lines to stdout, SIGTERM or SIGINT to stop. */
import { processEnv } from './env.ts';
import { logTo } from './telemetry/log.ts';
import { startWorker } from './worker.ts';

const log = logTo((line) => process.stdout.write(line));

try {
  const worker = await startWorker(processEnv(), log);
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
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}
