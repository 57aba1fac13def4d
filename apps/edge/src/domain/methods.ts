import { z } from 'zod';

// TODO: stands in for '@whylight/core/methods' until that is there.
type Convention = 'paper' | 'torchcam' | 'pytorch-grad-cam' | 'captum';
const conventions: readonly Convention[] = ['paper', 'torchcam', 'pytorch-grad-cam', 'captum'];
const info = (id: string, kind: 'map' | 'pixels', params: z.ZodType) => ({
  id,
  title: id,
  summary: id,
  paper: 'https://arxiv.org/abs/1610.02391',
  version: '1',
  kind,
  needs: ['gradient'] as readonly ('gradient' | 'layer')[],
  conventions,
  params,
});
export const methods = [
  info('grad-cam', 'map', z.strictObject({ normalized: z.boolean().default(true) })),
  info('saliency', 'pixels', z.strictObject({ abs: z.boolean().default(true) })),
  info('integrated-gradients', 'pixels', z.strictObject({ n_steps: z.coerce.number().int().min(1).max(512).default(50) })),
  info('occlusion', 'pixels', z.strictObject({ strides: z.array(z.int()).default([3, 8, 8]) })),
];
export class InputError extends Error {
  override name = 'InputError' as const;
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
export function resolveMethod(spec: { method: string; convention?: Convention; params?: Record<string, unknown> }) {
  const method = methods.find(({ id }) => id === spec.method);
  if (!method) throw new InputError('unknown_method', `unknown method ${spec.method}`);
  const parsed = method.params.safeParse(spec.params ?? {});
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new InputError('invalid_parameter', `${issue.path.join('.')}: ${issue.message}`);
  }
  const params = parsed.data as Record<string, z.core.util.JSONType>;
  return { id: method.id, version: method.version, convention: spec.convention ?? 'paper', params };
}
export const paramsJsonSchema = (id: string): object => z.toJSONSchema(methods.find((m) => m.id === id)!.params);
