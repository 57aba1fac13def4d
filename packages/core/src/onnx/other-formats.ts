import { archiveKind } from './archives.ts';
import { type Format, latin1 } from './format.ts';
import { textKind } from './text-formats.ts';

// People give files of many formats. A file's first bytes tell its format; its name may say anything.

const exportFromTorch = 'load it in Python and write torch.onnx.export(model, example, "model.onnx")';
const unpack = 'unpack it and give the .onnx file in it';
const picture: Format = {
  is: 'a picture',
  todo: 'give the .onnx file as the model, and the picture as the photo',
};

const signature = (bytes: Uint8Array, at: number, text: string): boolean =>
  bytes.length >= at + text.length && Array.from(text).every((c, i) => bytes[at + i] === c.charCodeAt(0));

/** Formats with the same bytes in every file: the place of these bytes, the bytes, and the format. */
const signatures: readonly (readonly [at: number, text: string, format: Format])[] = [
  [
    0,
    '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.',
    { is: "a file of PyTorch's old format (.pt, .pth), which holds Python objects", todo: exportFromTorch },
  ],
  [
    4,
    'TFL3',
    {
      is: 'a TensorFlow Lite model (.tflite)',
      todo: 'convert it with "python -m tf2onnx.convert --tflite model.tflite --output model.onnx"',
    },
  ],
  [
    4,
    'ORTM',
    { is: "a model in ONNX Runtime's own format (.ort)", todo: 'give the .onnx file that it was made of' },
  ],
  ...['ftrt', 'ptrt'].map(
    (text) =>
      [
        0,
        text,
        {
          is: 'a TensorRT engine (.engine), which holds code for one GPU',
          todo: 'give the .onnx file that it was built from',
        },
      ] as const,
  ),
  [
    0,
    '\x89HDF\r\n\x1a\n',
    {
      is: 'an HDF5 file (.h5), as Keras writes it',
      todo: 'load it in Keras and write model.export("model.onnx", format="onnx")',
    },
  ],
  [0, 'GGUF', { is: 'a GGUF file of weights', todo: 'export the network that they belong to as ONNX' }],
  [
    0,
    '\x93NUMPY',
    { is: 'a NumPy array (.npy)', todo: 'give the .onnx file as the model, and the array as the tensor' },
  ],
  [0, '\x1f\x8b', { is: 'a gzip archive', todo: unpack }],
  [0, 'BZh', { is: 'a bzip2 archive', todo: unpack }],
  [0, '\xfd7zXZ', { is: 'an xz archive', todo: unpack }],
  [0, '\x28\xb5\x2f\xfd', { is: 'a Zstandard archive', todo: unpack }],
  [0, '7z\xbc\xaf\x27\x1c', { is: 'a 7z archive', todo: unpack }],
  [0, 'Rar!\x1a\x07', { is: 'a RAR archive', todo: unpack }],
  [257, 'ustar', { is: 'a tar archive', todo: unpack }],
  [0, '\x89PNG\r\n', picture],
  [0, '\xff\xd8\xff', picture],
  [0, 'GIF8', picture],
  [8, 'WEBP', picture],
  [0, '%PDF-', { is: 'a PDF document', todo: 'give the .onnx file' }],
];

/** Says what a file that is no ONNX model is, and what to do; `undefined` if its bytes do not tell. */
export function otherFormat(bytes: Uint8Array): string | undefined {
  const format = formatOf(bytes);
  return format && `the file is not an ONNX model: it is ${format.is}; ${format.todo}`;
}

function formatOf(bytes: Uint8Array): Format | undefined {
  if (bytes.length === 0) return { is: 'empty', todo: 'download or export it again' };
  const found = signatures.find(([at, text]) => signature(bytes, at, text));
  if (found) return found[2];
  if (signature(bytes, 0, 'PK\x03\x04') || signature(bytes, 0, 'PK\x05\x06')) return archiveKind(bytes);
  return (
    safetensors(bytes) ?? ultralyticsEngine(bytes) ?? pickle(bytes) ?? tensorflow(bytes) ?? textKind(bytes)
  );
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Recognises the length of a JSON header in eight bytes, then the header. */
function safetensors(bytes: Uint8Array): Format | undefined {
  if (bytes.length < 10 || bytes[8] !== 0x7b) return undefined;
  const length = view(bytes).getBigUint64(0, true);
  if (length < 2n || length > BigInt(bytes.length - 8)) return undefined;
  return {
    is: 'a safetensors file: weights without their network',
    todo: 'export the network with them, for one of Hugging Face by "optimum-cli export onnx --model FOLDER OUT"',
  };
}

/** Recognises Ultralytics' format: the length of a JSON header in four bytes, the header, the TensorRT engine. */
function ultralyticsEngine(bytes: Uint8Array): Format | undefined {
  if (bytes.length < 8 || bytes[4] !== 0x7b) return undefined;
  const end = 4 + view(bytes).getUint32(0, true);
  return end + 4 <= bytes.length ? formatOf(bytes.subarray(end, end + 4)) : undefined;
}

/** Recognises a protocol from 2 to 5, and a full stop at the end. */
const pickle = (bytes: Uint8Array): Format | undefined =>
  bytes[0] === 0x80 && bytes[1]! >= 2 && bytes[1]! <= 5 && bytes.at(-1) === 0x2e
    ? { is: 'a file of Python objects (pickle)', todo: exportFromTorch }
    : undefined;

/** Reads more than the beginning, because TensorFlow writes protobuf as ONNX does. */
function tensorflow(bytes: Uint8Array): Format | undefined {
  const head = latin1(bytes.subarray(0, 4096));
  if (
    signature(bytes, 0, '\x08\x01\x12') &&
    /serve|Placeholder|VarHandleOp|StatefulPartitionedCall/.test(latin1(bytes.subarray(0, 2 ** 20)))
  )
    return {
      is: "a part of TensorFlow's SavedModel",
      todo: 'convert its folder with "python -m tf2onnx.convert --saved-model FOLDER --output model.onnx"',
    };
  if (head.startsWith('\n') && head.includes('\x12\x0bPlaceholder'))
    return {
      is: 'a frozen graph of TensorFlow (.pb)',
      todo: 'convert it with "python -m tf2onnx.convert --graphdef model.pb --inputs NAME:0 --outputs NAME:0 --output model.onnx"',
    };
  return undefined;
}
