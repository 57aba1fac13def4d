import { plainText } from './plain-text.ts';
import { growing } from './wire.ts';

/**
 * The id of a method. This package does not know the methods, which belong to the engine: the gateway writes their ids into the
 * OpenAPI document.
 */
export const methodIdSchema = plainText(100).meta({
  id: 'MethodId',
  description: 'A method that this release has. GET /v1/methods describes each',
});

/** The method of an answer: later releases have more of them. */
export const answeredMethodIdSchema = growing([]).meta({
  id: 'AnsweredMethodId',
  description: 'A method. Later releases have more methods, and answers may name those',
});
