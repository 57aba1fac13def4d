export { type Answer, type ExplainOptions, successOf, WhylightClient } from './client.ts';
export { ExplanationError } from './explanation-error.ts';
export type { Connection } from './http.ts';
export { OperatorClient } from './operator.ts';
export { ProblemError } from './problem-error.ts';
export { verifyWebhook, WebhookError } from './webhook.ts';
