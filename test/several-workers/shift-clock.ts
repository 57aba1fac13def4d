/**
 * Loaded before a program, it has the program see another time from the signal SIGUSR2 on, as libfaketime does: so many
 * seconds ahead of this machine's clock. Timers run as they do.
 */
const RealDate = Date;
let ahead = 0;
process.on('SIGUSR2', () => {
  ahead = Number(process.env.CLOCK_AHEAD_SECONDS) * 1000;
});

class ShiftedDate extends RealDate {
  constructor(...given: unknown[]) {
    super(...((given.length === 0 ? [RealDate.now() + ahead] : given) as [number]));
  }

  static override now(): number {
    return RealDate.now() + ahead;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
