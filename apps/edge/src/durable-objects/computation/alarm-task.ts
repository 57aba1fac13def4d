/** A part of an object that needs the object's one alarm from time to time. */
export interface AlarmTask {
  /** When it needs the alarm next (unix milliseconds); Infinity: not at all. */
  readonly due: number;
  /** Does what is due. */
  act(now: number): Promise<void>;
}
