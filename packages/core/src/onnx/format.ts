import { quoted } from './names.ts';

/** What a file is, and what its owner should do to get an ONNX file of it. */
export interface Format {
  readonly is: string;
  readonly todo: string;
}

/** The beginning of a text in quotes, for messages. */
export const beginning = (text: string): string =>
  quoted(
    text
      .trim()
      .split(/[\r\n]/)[0]!
      .slice(0, 60),
  );

/** A character for each byte. */
export const latin1 = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);
