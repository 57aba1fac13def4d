import { readFile } from 'node:fs/promises';
import type { RunningService } from '../service/running-service.ts';

export type Sample = Readonly<Record<'seconds' | 'worker_mb' | 'gateway_mb', number>>;

/** Samples the resident memory of worker and workerd every five seconds. @returns how to end it and get the samples */
export function watchMemory(service: RunningService): () => Sample[] {
  const samples: Sample[] = [];
  const begun = performance.now();
  const look = async () => {
    const [worker, gateway] = await Promise.all(
      ['gpu-worker', 'workerd-'].map(async (word) => {
        const sizes = await Promise.all((await service.processes(word)).map(resident));
        return Math.round(sizes.reduce((sum, size) => sum + size, 0));
      }),
    );
    const seconds = Math.round((performance.now() - begun) / 1000);
    samples.push({ seconds, worker_mb: worker!, gateway_mb: gateway! });
  };
  void look();
  const timer = setInterval(() => void look(), 5000);
  return () => {
    clearInterval(timer);
    return samples;
  };
}

async function resident(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+) kB/.exec(text)?.[1] ?? 0) / 1024;
}
