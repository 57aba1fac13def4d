import type { Runtime } from '../runtime/runtime.ts';
import type { Built } from './built.ts';

/** The default limit of the memory of one explainer while it runs, in bytes. */
const defaultMemory = 1e9;

/** ONNX Runtime holds up to this many times the memory needed at once: its arena has gaps, its kernels work areas. */
const arena = 1.6;
/** Up to this many copies of the weights exist while graphs are loaded: read, written, parsed, turned and repacked. */
const copies = 12;
/** On a CPU, rows beyond its caches save no time, except the first few: single rows take a tenth to a third longer. */
const cached = 24 * 2 ** 20;
const few = 4;
/** More rows at once save no time. */
const most = 64;

/** Gives the number of rows of a graph to run at once within a budget of bytes, which a single row may exceed. */
export function rowsWithin(
  budget: number | undefined,
  { weightBytes, bytesPerRow }: Pick<Built, 'weightBytes' | 'bytesPerRow'>,
  { device, memory = defaultMemory }: Pick<Runtime, 'device' | 'memory'>,
): number {
  const free = ((budget ?? memory) - copies * weightBytes) / arena;
  const room = device.startsWith('cpu') ? Math.min(free, Math.max(cached, few * bytesPerRow)) : free;
  return Math.min(Math.max(1, Math.floor(room / Math.max(1, bytesPerRow))), most);
}
