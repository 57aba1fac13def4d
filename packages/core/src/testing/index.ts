export * from './colour-vision.ts';
export { dataBeside } from './data-beside.ts';
export { Dice } from './dice.ts';
export { declared } from './image-inputs.ts';
export { networkApart, networkOf, tinyImages, tinyNetwork, tinyShape } from './network.ts';
export { type AttributeInit, onnxFile, value } from './onnx-file.ts';
export { cpu } from './ort.ts';
export { sharedFile } from './shared.ts';
export { tinyTransformer } from './transformer.ts';
