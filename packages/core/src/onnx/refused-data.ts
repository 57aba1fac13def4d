import { InputError } from '../errors.ts';
import { quoted } from './names.ts';

/** Says why a file of this name is not read; `undefined` if it lies in the model's own folder. */
export function unsafeLocation(location: string): string | undefined {
  if (location.includes('_ORT_MEM_ADDR_')) return 'which means an address in memory';
  if (location === '' || location === '.' || location === '..') return 'which names no file';
  if (/[/\\]/.test(location)) return 'which is a path';
  if (location.includes(':')) return 'which may name a drive or a device';
  if (location.startsWith('.')) return 'which is a hidden file';
  if (/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(location)) return 'which has control characters in it';
  if (location.length > 255) return 'which is longer than a name may be';
  return undefined;
}

export const invalidData = (tensor: string, why: string): InputError =>
  new InputError('invalid_model', `the data of tensor ${quoted(tensor)} are not read: ${why}`);
