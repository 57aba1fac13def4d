export { dataBeside } from './data-beside.ts';
export { declared } from './image-inputs.ts';
export { Dice } from './dice.ts';
export { networkOf, tinyImages, tinyNetwork, tinyShape } from './network.ts';
export { type AttributeInit, onnxFile, value } from './onnx-file.ts';
export { cpu } from './ort.ts';
