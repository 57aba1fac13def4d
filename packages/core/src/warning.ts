/** What an answer warns of. The code is for programs, and keeps its meaning; the message is for people. */
export interface Warning {
  readonly code: string;
  readonly message: string;
}

/** A warning as people read it. */
export const warningText = ({ code, message }: Warning): string => `${code}: ${message}`;
