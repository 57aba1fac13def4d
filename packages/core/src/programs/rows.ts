import type { Runtime } from '../runtime/runtime.ts';
import type { Built } from './built.ts';

/** What one explainer may hold while it runs, unless said, in bytes. */
const defaultMemory = 1e9;

/** ONNX Runtime holds up to this many times what is needed at once: its arena has gaps, its kernels work areas. */
const arena = 1.6;
/** Weights are held up to this many times while graphs are loaded: as read, written, parsed, turned and repacked. */
const copies = 12;
/** On a CPU more rows than fit into its caches gain nothing, but for the first few: one by one takes a tenth to a third longer. */
const cached = 24 * 2 ** 20;
const few = 4;
/** More rows at once gain nothing. */
const most = 64;

/** Rows of a graph to run at once within a budget of bytes, which a single row may exceed. */
export function rowsWithin(
  budget: number | undefined,
  { weightBytes, bytesPerRow }: Pick<Built, 'weightBytes' | 'bytesPerRow'>,
  { device, memory = defaultMemory }: Pick<Runtime, 'device' | 'memory'>,
): number {
  const free = ((budget ?? memory) - copies * weightBytes) / arena;
  const room = device.startsWith('cpu') ? Math.min(free, Math.max(cached, few * bytesPerRow)) : free;
  return Math.min(Math.max(1, Math.floor(room / Math.max(1, bytesPerRow))), most);
}
