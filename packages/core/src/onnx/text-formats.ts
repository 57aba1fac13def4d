import { beginning, type Format } from './format.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** Tells the format of a text file; `undefined` if it is not text. */
export function textKind(bytes: Uint8Array): Format | undefined {
  const text = textOf(bytes);
  if (text === undefined) return undefined;
  if (text.trim() === '') return { is: 'text without a word in it', todo: 'download or export it again' };
  if (text.startsWith('version https://git-lfs.github.com/spec/'))
    return {
      is: 'a Git LFS pointer, which stands for the model in a repository',
      todo: 'fetch the model itself with "git lfs pull"',
    };
  if (/^\s*<(!doctype\s+html|html|head|body)\b/i.test(text))
    return {
      is: 'a web page (HTML), perhaps that of an error or a login',
      todo: 'open its address in a browser and download the model by its direct link',
    };
  if (/^\s*</.test(text))
    return {
      is: `XML that begins with ${beginning(text)}`,
      todo: "give the .onnx file; of OpenVINO's .xml, the one that it was converted from",
    };
  if (/^\s*[{[]/.test(text)) {
    const tensorflow = /"(modelTopology|weightsManifest)"/.test(text);
    if (tensorflow)
      return { is: 'a TensorFlow.js model (JSON)', todo: 'export the network it was made of as ONNX' };
    return {
      is: 'JSON',
      todo: 'give the .onnx file, and put what describes it beside it under the same name with .json',
    };
  }
  return { is: `text that begins with ${beginning(text)}`, todo: 'download or export the model again' };
}

/** Decodes the beginning of a text; `undefined` if it has a character that no text has, or bytes that are no UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  const head = bytes.subarray(0, 4096);
  // The cut may lie within a character: at most three of its bytes are left.
  for (let cut = 0; cut < (bytes.length > head.length ? 4 : 1); cut++)
    try {
      const text = utf8.decode(head.subarray(0, head.length - cut));
      return /[^\P{Cc}\t\n\r\f]/u.test(text) ? undefined : text;
    } catch {}
  return undefined;
}
