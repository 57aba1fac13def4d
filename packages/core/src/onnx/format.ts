import { quoted } from './names.ts';

/** The format of a file, and advice to its owner how to get an ONNX file from it. */
export interface Format {
  readonly is: string;
  readonly todo: string;
}

/** Quotes the beginning of a text, for messages. */
export const beginning = (text: string): string =>
  quoted(
    text
      .trim()
      .split(/[\r\n]/)[0]!
      .slice(0, 60),
  );

/** Decodes each byte as a character. */
export const latin1 = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);
