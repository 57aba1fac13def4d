/**
 * Loaded before a program, it has the program see another time, as libfaketime does: so many seconds ahead of this machine's
 * clock. Timers run as they do.
 */
const RealDate = Date;
const ahead = Number(process.env.CLOCK_AHEAD_SECONDS) * 1000;

class ShiftedDate extends RealDate {
  constructor(...given: unknown[]) {
    super(...((given.length === 0 ? [RealDate.now() + ahead] : given) as [number]));
  }

  static override now(): number {
    return RealDate.now() + ahead;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
