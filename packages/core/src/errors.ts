/**
 * An error that the user can correct: bad input, a bad parameter, a model that cannot be explained. The message is one
 * sentence that names what, where, expected and got, and is safe to show: no paths, no keys, no stack.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly code: InputErrorCode;
  /** For a wrong question: the path of the wrong member, such as `parameters`, `n_steps`. */
  readonly member: readonly string[] | undefined;

  constructor(code: InputErrorCode, message: string, member?: readonly string[]) {
    super(message);
    this.code = code;
    this.member = member;
  }
}

export type InputErrorCode =
  | 'invalid_model'
  | 'model_external_data_forbidden'
  | 'model_unsupported_op'
  | 'model_too_large'
  | 'invalid_tensor'
  | 'invalid_image'
  | 'image_too_large'
  | 'unsupported_media_type'
  | 'unknown_method'
  | 'invalid_parameter'
  | 'method_not_supported'
  | 'target_out_of_range'
  | 'non_finite_output';

/** The device has no memory for a graph. It still works, and a smaller graph may fit. The message is safe to show. */
export class OutOfMemoryError extends Error {
  override readonly name = 'OutOfMemoryError';
}
