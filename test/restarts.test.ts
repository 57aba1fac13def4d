import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { drawing } from './service/pictures.ts';
import { processesOf, RunningService, survivors } from './service/running-service.ts';

let service: RunningService;

beforeAll(async () => {
  service = await RunningService.start();
});
afterAll(() => service?.remove());

/** Kills its processes with `word` in their command line, and resolves when others have taken their place and the service answers. */
async function replaced(word: string, url: string): Promise<void> {
  const before = await service.processes(word);
  expect(before.length).toBeGreaterThan(0);
  for (const pid of before) process.kill(pid, 'SIGKILL');
  expect(await survivors(before)).toEqual([]);
  await untilAnswered(url);
  expect((await service.processes(word)).length).toBe(before.length);
}

/** A request that hangs counts as one that is not answered. */
async function untilAnswered(url: string): Promise<void> {
  const deadline = performance.now() + 90_000;
  const answered = async () =>
    (await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => null))?.ok;
  while (!(await answered())) {
    expect(performance.now(), `${url} is not answered`).toBeLessThan(deadline);
    await sleep(100);
  }
}

const uploaded = async (seed: number) =>
  (await service.client.upload((await drawing(seed)).png, 'image/png')).id;

const explained = async (seed: number) => {
  const input = { upload: await uploaded(seed) };
  return (await service.client.explain({ input, method: 'grad-cam' })).explanation.status;
};

it('L15: a worker that is killed while the service starts is started again, and the service starts', async () => {
  let killed = 0;
  const started = RunningService.start({
    onSpawn: async (pid) => {
      while (killed < 2) {
        const [worker] = await processesOf(pid, 'gpu-worker').catch(() => []);
        if (worker) {
          process.kill(worker, 'SIGKILL');
          killed++;
          expect(await survivors([worker])).toEqual([]);
        }
        await sleep(10);
      }
    },
  });
  const second = await started;
  try {
    const said = second.log.filter((line) => line.includes('it is started again in'));
    expect(said).toHaveLength(2);
    expect((await fetch(`${second.ready.worker_url}/readyz`)).status).toBe(200);
  } finally {
    await second.remove();
  }
});

it('a worker that is killed is started again, and explains', async () => {
  await replaced('gpu-worker', `${service.ready.worker_url}/readyz`);
  expect(await explained(21)).toBe('succeeded');
});

it('a workerd that is killed is started again, at the same address, with the same keys', async () => {
  await replaced('workerd-', `${service.ready.url}/readyz`);
  expect(await explained(22)).toBe('succeeded');
});

it('what was asked when workerd was killed ends, and whoever asks meanwhile is answered', async () => {
  const upload = await uploaded(23);
  const before = await service.counter('whylight_jobs_accepted_total');
  // Slow enough to be computed when the gateway dies; a job that the worker does not have yet is sent again after a minute.
  const parameters = { n_steps: 100 };
  const asked = Array.from({ length: 4 }, (_, class_index) =>
    service.client.create({
      input: { upload },
      method: 'integrated-gradients',
      parameters,
      target: { class_index },
    }),
  );
  const ids = (await Promise.all(asked)).map(({ explanation }) => explanation.id);
  while ((await service.counter('whylight_jobs_accepted_total')) < before + ids.length) await sleep(50);
  const [workerd] = await service.processes('workerd-');
  process.kill(workerd!, 'SIGKILL');
  await untilAnswered(`${service.ready.url}/livez`);
  const end = async (id: string): Promise<string> => {
    const { status } = await service.client.explanation(id, { wait: 60 });
    return status === 'queued' || status === 'processing' ? end(id) : status;
  };
  expect(await Promise.all(ids.map(end))).toEqual(ids.map(() => 'succeeded'));
});

it('the process around workerd that is killed takes workerd along, and both are started again', async () => {
  const both = [...(await service.processes('gateway/run.ts')), ...(await service.processes('workerd-'))];
  expect(both.length).toBe(2);
  process.kill(both[0]!, 'SIGKILL');
  expect(await survivors(both)).toEqual([]);
  await untilAnswered(`${service.ready.url}/readyz`);
  expect((await service.processes('workerd-')).length).toBe(1);
  expect(await explained(24)).toBe('succeeded');
});

it('after that it still stops as a whole, and says nothing of its inside', async () => {
  const started = await service.descendants();
  const logged = service.log.length;
  expect(await service.end()).toBe(0);
  expect(await survivors(started)).toEqual([]);
  for (const line of service.log.slice(logged)) expect(line).toMatch(/^worker: \{"time":/);
  expect(service.log.join('\n')).not.toMatch(/goroutine|\[running\]:|^\s+at /m);
});
