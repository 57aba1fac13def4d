export { dataBeside } from './data-beside.ts';
export { networkOf, tinyImages, tinyNetwork, tinyShape } from './network.ts';
export { type AttributeInit, onnxFile, value } from './onnx-file.ts';
export { cpu } from './ort.ts';
export { tinyTransformer } from './transformer.ts';
