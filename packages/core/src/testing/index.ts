export { networkOf, tinyImages, tinyNetwork, tinyShape } from './network.ts';
export { cpu } from './ort.ts';
