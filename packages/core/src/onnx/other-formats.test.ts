import { describe, expect, it, test } from 'vitest';
import { InputError } from '../errors.ts';
import { Dice } from '../testing/dice.ts';
import { onnxFile } from '../testing/onnx-file.ts';
import { otherFormat } from './other-formats.ts';
import { readModel } from './read.ts';

const bytesOf = (text: string, length = 0) => {
  const bytes = new Uint8Array(Math.max(length, text.length));
  bytes.set(Array.from(text, (c) => c.charCodeAt(0)));
  return bytes;
};
const utf8 = (text: string) => new TextEncoder().encode(text);
/** A length of so many bytes, a JSON header, and what follows. */
const headed = (width: 4 | 8, header: string, rest: string) => {
  const bytes = bytesOf('\0'.repeat(width) + header + rest);
  bytes[0] = header.length;
  return bytes;
};
/** A zip archive as far as its names go: what a file begins with, and an entry of the list at the end. */
const zip = (...names: string[]) =>
  bytesOf(
    names
      .map((name) => `PK\x03\x04\x14\0${'\0'.repeat(24)}${name}\0\x01PK\x01\x02${'\0'.repeat(42)}${name}`)
      .join(''),
  );

function refusal(bytes: Uint8Array): InputError {
  try {
    readModel(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return error as InputError;
  }
  throw new Error('the file was read');
}

const html = '<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>';
const pointer =
  'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n';
const legacy = '\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.';

describe('M2: a file that is no ONNX model is told by what it is, and what to do', () => {
  test.each<[what: string, Uint8Array, is: string, todo: string]>([
    ['an empty file', new Uint8Array(), 'it is empty', 'download or export it again'],
    [
      '.pt and .pth of today',
      zip('net/data.pkl', 'net/data/0'),
      "a file of PyTorch's (.pt, .pth)",
      'torch.onnx.export',
    ],
    ['TorchScript', zip('net/data.pkl', 'net/constants.pkl'), 'a TorchScript file', 'torch.jit.load'],
    [
      '.pt2',
      zip('m/models/model.json', 'm/data/x.pkl'),
      'a program that torch.export saved',
      'torch.export.load',
    ],
    ['.pth of old', bytesOf(legacy), "PyTorch's old format", 'torch.onnx.export'],
    [
      'a pickle',
      bytesOf('\x80\x04\x95\x05\0\0\0\0\0\0\0]\x94.'),
      'Python objects (pickle)',
      'torch.onnx.export',
    ],
    ['.tflite', bytesOf('\x1c\0\0\0TFL3\x14\0', 64), 'a TensorFlow Lite model', 'tf2onnx.convert --tflite'],
    [
      '.ort',
      bytesOf('\x30\0\0\0ORTM\0\0', 64),
      "ONNX Runtime's own format",
      'the .onnx file that it was made of',
    ],
    ['.engine', bytesOf('ftrt\0\0\0\0', 64), 'a TensorRT engine', 'the .onnx file that it was built from'],
    [
      '.engine of Ultralytics',
      headed(4, '{"stride": 32}', 'ftrt\0\0\0'),
      'a TensorRT engine',
      'the .onnx file',
    ],
    [
      '.safetensors',
      headed(8, '{"w":{"dtype":"F32"}}', '\0\0\0\0'),
      'a safetensors file',
      'optimum-cli export onnx',
    ],
    ['a Git LFS pointer', utf8(pointer), 'a Git LFS pointer', 'git lfs pull'],
    ['a web page', utf8(html), 'a web page (HTML)', 'download the model by its direct link'],
    ['a zip', zip('readme.txt'), 'a zip archive', 'unpack it'],
    ['a zip with a model', zip('net/model.onnx'), 'a zip archive', 'give the .onnx file in it'],
    ['.npz', zip('arr_0.npy'), 'several NumPy arrays', 'give the .onnx file'],
    ['.keras', zip('config.json', 'model.weights.h5'), 'a Keras model', 'model.export'],
    ['.h5', bytesOf('\x89HDF\r\n\x1a\n', 64), 'an HDF5 file', 'model.export'],
    ['JSON', utf8('{"labels": ["a"]}'), 'it is JSON', 'give the .onnx file'],
    ['a list in JSON', utf8(' [1, 2]'), 'it is JSON', 'give the .onnx file'],
    ['TensorFlow.js', utf8('{"format": "x", "modelTopology": {}}'), 'a TensorFlow.js model', 'as ONNX'],
    ['XML', utf8('<?xml version="1.0"?>\n<net name="x">'), 'XML', 'OpenVINO'],
    ['another text', utf8('Entry not found\n'), 'text that begins with "Entry not found"', 'again'],
    ['Chinese text', utf8('找不到\n'.repeat(600)), 'text that begins with "找不到"', 'again'],
    ['blanks', utf8(' \n'), 'text without a word', 'again'],
    [
      'SavedModel',
      bytesOf('\x08\x01\x12\x40\n\x05serve\xff\xff\xff\xff', 64),
      "TensorFlow's SavedModel",
      '--saved-model',
    ],
    [
      'a frozen graph',
      bytesOf('\n\x20\n\x01x\x12\x0bPlaceholder\xff\xff\xff\xff'),
      'a frozen graph',
      '--graphdef',
    ],
    ['GGUF', bytesOf('GGUF\x03\0\0\0', 64), 'a GGUF file', 'export'],
    ['gzip', bytesOf('\x1f\x8b\x08\0', 64), 'a gzip archive', 'unpack it'],
    ['tar', bytesOf(`net.onnx${'\0'.repeat(249)}ustar\0`, 512), 'a tar archive', 'unpack it'],
    ['a photo', bytesOf('\xff\xd8\xff\xe0\0\x10JFIF', 64), 'a picture', 'as the photo'],
    ['.npy', bytesOf('\x93NUMPY\x01\0', 64), 'a NumPy array', 'as the tensor'],
  ])('%s', (_, bytes, is, todo) => {
    const { code, message } = refusal(bytes);
    expect(code).toBe('invalid_model');
    expect(message).toMatch(/^the file is not an ONNX model: it is [^\n]+; [^\n]+$/);
    expect(message).toContain(is);
    expect(message.slice(message.indexOf(';'))).toContain(todo);
  });

  it('says nothing more of what it does not know', () => {
    expect(refusal(Uint8Array.of(0xff, 0xfe, 0x80)).message).toBe(
      'the file is not an ONNX model, or it is truncated',
    );
  });

  it('shows no character of a file that a terminal would act on', () => {
    const { message } = refusal(utf8('x\u202e\u2028y'));
    expect(message).toContain('text that begins with "x\\u202e\\u2028y"');
  });

  it('reads a model whose first bytes are those of another format', () => {
    // irVersion, then the name of the producer: at the place where TensorFlow Lite says what it is.
    const bytes = onnxFile({}, { producerName: 'TFL3' });
    expect(Array.from(bytes.subarray(4, 8), (byte) => String.fromCharCode(byte)).join('')).toBe('TFL3');
    expect(readModel(bytes).producer).toBe('TFL3');
  });

  it('ends in a sentence or in nothing, whatever the bytes and wherever they end', () => {
    const heads = [
      '',
      'PK\x03\x04',
      legacy,
      '\x08\x01\x12',
      '\n',
      '{',
      '\0\0\0\0{',
      '\0\0\0\0\0\0\0\0{',
      html,
      pointer,
    ];
    for (let seed = 0; seed < 3000; seed++) {
      const dice = new Dice(seed);
      const tail = Array.from({ length: dice.below(40) }, () => String.fromCharCode(dice.below(256))).join(
        '',
      );
      const bytes = bytesOf(dice.one(heads) + tail);
      const said = otherFormat(bytes.subarray(0, dice.below(bytes.length + 1)));
      if (said !== undefined)
        expect(said).toMatch(/^the file is not an ONNX model: it is [^\n\r]+; [^\n\r]+$/);
    }
  });
});
