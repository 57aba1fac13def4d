/** A running service under chaos. */
export interface ChaosService {
  readonly url: string;
  readonly operatorKey: string;
  /** Disturbs the service until the returned function is called, which counts the disturbances by kind. */
  disturb(): () => Promise<Record<string, number>>;
  /** Stops the service and deletes its data. */
  remove(): Promise<void>;
}
