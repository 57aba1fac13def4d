/**
 * Whether an IP address is one of the public internet's: no private, loopback, link-local, shared, documentation,
 * benchmark, multicast or reserved range (IANA's special-purpose registries). In IPv6 only global unicast is,
 * except addresses that contain an IPv4 address.
 */
export function isPublicAddress(address: string): boolean {
  if (address.includes(':')) return isPublicIpv6(groupsOf(address));
  const bytes = address.split('.').map(Number);
  if (bytes.length !== 4 || !bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255))
    return false;
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return !reserved.some(([first, bits]) => Math.floor(value / 2 ** (32 - bits)) === prefix(first, bits));
}

const reserved: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

const prefix = (first: string, bits: number): number =>
  Math.floor(first.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0) / 2 ** (32 - bits));

function isPublicIpv6(groups: readonly number[] | null): boolean {
  if (!groups) return false;
  const [a, b] = groups as [number, number];
  if (a < 0x2000 || a > 0x3fff) return false;
  // Teredo and the protocol assignments around it, documentation, 6to4.
  if (a === 0x2001 && (b < 0x0200 || b === 0x0db8)) return false;
  return a !== 0x2002 && !(a === 0x3fff && b < 0x1000);
}

/** The eight groups of an IPv6 address as the URL standard prints it; null for other text. */
function groupsOf(address: string): number[] | null {
  let host: string;
  try {
    host = new URL(`http://[${address}]`).hostname.slice(1, -1);
  } catch {
    return null;
  }
  const [head = '', tail] = host.split('::').map((part) => (part === '' ? '' : part));
  const parse = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [parse(head), parse(tail ?? '')];
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}
