/** A warning of an answer. The code is for programs, and its meaning never changes; the message is for people. */
export interface Warning {
  readonly code: string;
  readonly message: string;
}

/** Formats a warning for people. */
export const warningText = ({ code, message }: Warning): string => `${code}: ${message}`;
