import { type Format, latin1 } from './format.ts';

/** Tells what a zip archive is from the names in its beginning and in its list of contents, which lies at its end. */
export function archiveKind(bytes: Uint8Array): Format {
  const ends = [bytes.subarray(0, 2 ** 16), bytes.subarray(Math.max(0, bytes.length - 2 ** 18))];
  const names = ends.map((part) => latin1(part)).join('\n');
  if (/serialized_exported_program|\/models\/model\.json/.test(names))
    return {
      is: 'a program that torch.export saved (.pt2)',
      todo: 'write torch.onnx.export(torch.export.load("model.pt2"), (), "model.onnx") in Python',
    };
  if (/constants\.pkl/.test(names))
    return {
      is: 'a TorchScript file (.pt)',
      todo: 'load it in Python by torch.jit.load and write torch.onnx.export(model, example, "model.onnx", dynamo=False)',
    };
  if (/data\.pkl/.test(names))
    return {
      is: "a file of PyTorch's (.pt, .pth)",
      todo: 'load it in Python and write torch.onnx.export(model, example, "model.onnx")',
    };
  if (/model\.weights\.h5/.test(names))
    return {
      is: 'a Keras model (.keras)',
      todo: 'load it in Keras and write model.export("model.onnx", format="onnx")',
    };
  if (/\.onnx/.test(names)) return { is: 'a zip archive', todo: 'unpack it and give the .onnx file in it' };
  if (/\.npy/.test(names))
    return { is: 'several NumPy arrays (.npz)', todo: 'give the .onnx file of the network' };
  return { is: 'a zip archive', todo: 'unpack it; the model has to be an .onnx file' };
}
