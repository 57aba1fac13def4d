import { readdir, readFile, readlink } from 'node:fs/promises';

export interface Listener {
  readonly pid: number;
  /** `127.0.0.1:8787`, `[::1]:8787`, or the name of a unix socket; an abstract one begins with `@`. */
  readonly address: string;
}

/** Lists all addresses at which these processes accept connections: TCP of IPv4 and IPv6, and unix sockets. */
export async function listenersOf(pids: readonly number[]): Promise<Listener[]> {
  const owners = new Map<string, number>();
  for (const pid of pids)
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode) owners.set(inode, pid);
    }
  const all = [
    ...(await rows('tcp')).filter(([, , , state]) => state === listening).map(tcp),
    ...(await rows('tcp6')).filter(([, , , state]) => state === listening).map(tcp),
    ...(await rows('unix')).filter(([, , , flags]) => acceptsConnections(flags!)).map(unix),
  ];
  return all.flatMap(([inode, address]) => {
    const pid = owners.get(inode);
    return pid === undefined ? [] : [{ pid, address }];
  });
}

/** TCP_LISTEN of the kernel's tcp_states.h. */
const listening = '0A';
/** __SO_ACCEPTCON of the kernel's net.h. */
const acceptsConnections = (flags: string): boolean => (Number.parseInt(flags, 16) & 0x10000) !== 0;

async function rows(table: 'tcp' | 'tcp6' | 'unix'): Promise<string[][]> {
  const text = await readFile(`/proc/net/${table}`, 'utf8').catch(() => '');
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
}

const tcp = ([, local, , , , , , , , inode]: string[]): [inode: string, address: string] => {
  const [host, port] = local!.split(':') as [string, string];
  return [inode!, `${addressOf(host)}:${Number.parseInt(port, 16)}`];
};

/** num, count, protocol, flags, type, state, inode, path. */
const unix = ([, , , , , , inode, path]: string[]): [inode: string, address: string] => [inode!, path ?? ''];

/** The kernel writes four bytes at a time, the last one first. */
function addressOf(hex: string): string {
  const bytes = hex.match(/.{8}/g)!.flatMap((word) => word.match(/../g)!.reverse());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => bytes[2 * i]! + bytes[2 * i + 1]!);
  return new URL(`http://[${groups.join(':')}]`).hostname;
}
