import { type ExplanationFailure, modelErrorCodes } from '@whylight/contract';
import { Refusal, type RefusalCode } from './refusal.ts';

/** Codes that a request gets if the job that it waited for failed. Job errors without a row are faults of this side. */
const codes: Partial<Record<ExplanationFailure['code'], RefusalCode>> = {
  invalid_image: 'invalid_image',
  image_too_large: 'image_too_large',
  unsupported_media_type: 'unsupported_media_type',
  upload_mismatch: 'upload_mismatch',
  upload_not_found: 'upload_not_ready',
  model_not_found: 'resource_not_found',
  model_deleted: 'resource_not_found',
  method_not_supported: 'method_not_supported',
  target_out_of_range: 'target_out_of_range',
  invalid_parameter: 'invalid_parameter',
  non_finite_output: 'non_finite_output',
  storage_unavailable: 'storage_unavailable',
  deadline_exceeded: 'capacity',
  worker_crashed: 'capacity',
  worker_unreachable: 'capacity',
};

/** Codes with which a request that names a model is refused; a model that was rejected says why. */
export const refusalsOfModels = [
  'model_not_ready',
  'resource_not_found',
  ...modelErrorCodes.filter((code) => code !== 'worker_unreachable'),
] as const;

/** Codes with which a request for a computation is refused: for its photo, its model or its question, or for want of room. */
export const refusalsOfJobs = [
  'concurrency_limited',
  'image_too_large',
  'invalid_image',
  'method_not_supported',
  'non_finite_output',
  'quota_exceeded',
  'storage_unavailable',
  'target_out_of_range',
  'unsupported_media_type',
  'upload_not_ready',
  ...refusalsOfModels,
] as const;

export const refusalOfJob = ({ code, message }: ExplanationFailure): Refusal =>
  new Refusal(codes[code] ?? 'internal', message);
