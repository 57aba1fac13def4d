export type { Batches } from './batches.ts';
export { type Answer, type ExplainOptions, successOf, WhylightClient } from './client.ts';
export { ExplanationError } from './explanation-error.ts';
export type { Connection } from './http.ts';
export { OperatorClient } from './operator.ts';
export type { OwnModel, OwnModels } from './own-models.ts';
export { ProblemError } from './problem-error.ts';
export { verifyWebhook, WebhookError } from './webhook.ts';
export type { WebhookEndpoints } from './webhook-endpoints.ts';
