export { KServeFault, UnknownMember } from './fault.ts';
export { floatsOf } from './floats.ts';
export { checkMembers, described, type Members, objectOf, parsed } from './members.ts';
export { jsonOf, writeV2Body } from './v2-body.ts';
export { bytesInput, placeOfFile, type V2Input, type V2Takes } from './v2-input.ts';
export {
  explanationDescriptions,
  explanationOutputs,
  likeliestDescriptions,
  likeliestOutputs,
  type OutputDescription,
  type Outputs,
  type V2Explained,
} from './v2-output.ts';
export { readV2Request, type V2Request } from './v2-request.ts';
export { bytesElements, jsonLengthHeader, type OutputTensor } from './v2-tensor.ts';
