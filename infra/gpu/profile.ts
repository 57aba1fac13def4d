/** Number and time of one operator's nodes on another provider. */
export interface Share {
  readonly op: string;
  readonly nodes: number;
  readonly milliseconds: number;
}

/** One event of a profile, as ONNX Runtime writes it (Chrome's trace format), as far as it is read here. */
export interface ProfileEvent {
  readonly cat?: string;
  /** Microseconds. */
  readonly dur?: number;
  readonly name?: string;
  readonly args?: { readonly op_name?: string; readonly provider?: string };
}

/**
 * Lists the operators that did not run on `provider`, and the copies to and from it, the longest first. A node is
 * counted once, its time is that of all runs.
 */
export function elsewhere(profile: readonly ProfileEvent[], provider: string): Share[] {
  const kernels = profile.filter(
    ({ cat, name, args }) => cat === 'Node' && args?.op_name && /kernel_time$/.test(name!),
  );
  const shares = new Map<string, { nodes: Set<string>; microseconds: number }>();
  for (const { name, dur = 0, args } of kernels) {
    const { op_name: op, provider: at } = args as { op_name: string; provider?: string };
    if (at === provider && !op.startsWith('Memcpy')) continue;
    const share = shares.get(op) ?? { nodes: new Set(), microseconds: 0 };
    share.nodes.add(name!);
    share.microseconds += dur;
    shares.set(op, share);
  }
  return Array.from(shares, ([op, { nodes, microseconds }]) => ({
    op,
    nodes: nodes.size,
    milliseconds: microseconds / 1000,
  })).toSorted((a, b) => b.milliseconds - a.milliseconds);
}
