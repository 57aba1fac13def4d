/** An owner of tasks, one of which it may start now. */
export interface Contender {
  /** Tasks of the owner that run. */
  readonly running: number;
  /** Turns that the owner has had and not used yet: its task costs more. */
  readonly deficit: number;
  /** Number of the owner's last turn; 0 if it had none. */
  readonly lastTurn: number;
  /** The turn after which it waits for the next one: its last turn, or the one before it came. */
  readonly since: number;
  /** Turns that its task costs. */
  readonly cost: number;
}

/**
 * Deficit round robin (Shreedhar and Varghese, 1995): gives turns until an owner has had as many as its task costs. Nobody
 * has a second turn before another one who waits has had its first; among those who may have a turn, the owner with the
 * fewest running tasks is next, of those the one who has waited longest, of those the first in the list.
 *
 * @param turns number of turns before these
 * @returns whose turns these are, in order; the task of the last one starts. Empty if there are no contenders
 */
export function giveTurns<C extends Contender>(contenders: readonly C[], turns: number): C[] {
  let order = contenders.map((contender) => ({ ...contender, contender }));
  const given: C[] = [];
  for (let turn = turns + 1; order.length > 0; turn++) {
    const oldest = Math.min(...order.map(({ since }) => since));
    const [next] = order
      .filter(({ lastTurn }) => lastTurn <= oldest)
      .toSorted((one, other) => one.running - other.running || one.since - other.since);
    const deficit = next!.deficit + 1;
    given.push(next!.contender);
    if (deficit >= next!.cost) break;
    order = order.filter((each) => each !== next);
    order.push({ ...next!, deficit, lastTurn: turn, since: turn });
  }
  return given;
}
