import { z } from 'zod';
import { InputError } from '../errors.ts';
import type { FixedInputs } from '../model/inputs.ts';
import { type DType, dtypes, sizeOf, type Tensor, type TensorData } from '../tensor.ts';

/** A tensor in JSON. */
const tensorSchema = z.object({
  dtype: z.enum(Object.keys(dtypes) as [DType, ...DType[]]),
  shape: z.array(z.int().min(0)).max(8),
  data: z.array(z.number()),
});

const elementsSchema = z.union([z.number(), z.array(z.number()), tensorSchema]);
export type FixedElements = z.output<typeof elementsSchema>;

/** Values by the input's name, which may be any text: `z.record` would drop the name `__proto__`. */
export const fixedInputsSchema = z
  .custom<Readonly<Record<string, FixedElements>>>(
    (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
    { message: 'expected an object', abort: true },
  )
  .superRefine((inputs, context) => {
    for (const [name, given] of Object.entries(inputs)) {
      const parsed = elementsSchema.safeParse(given);
      const message = 'expected a number, a list of numbers, or a tensor {dtype, shape, data}';
      if (!parsed.success) context.addIssue({ code: 'custom', path: [name], message });
      else if (typeof given === 'object' && 'shape' in given && sizeOf(given.shape) !== given.data.length)
        context.addIssue({
          ...{ code: 'custom', path: [name] },
          message: `expected ${sizeOf(given.shape)} elements for shape [${given.shape}], got ${given.data.length}`,
        });
    }
  });

/** Converts fixed inputs to the engine's form. @throws InputError for numbers that a type does not have */
export function fixedInputsOf(given: Readonly<Record<string, FixedElements>> = {}): FixedInputs {
  return Object.fromEntries(
    Object.entries(given).map(([name, elements]) => [
      name,
      typeof elements === 'object' && 'shape' in elements ? tensorOf(name, elements) : elements,
    ]),
  );
}

function tensorOf(name: string, { dtype, shape, data }: z.output<typeof tensorSchema>): Tensor {
  try {
    const elements = dtype === 'int64' || dtype === 'uint64' ? data.map(BigInt) : data;
    const values = (dtypes[dtype] as { from(values: ArrayLike<unknown>): TensorData }).from(elements);
    return { dtype, shape, data: values } as Tensor;
  } catch {
    throw new InputError(
      'invalid_model',
      `fixed input ${JSON.stringify(name)}: expected whole numbers for ${dtype}`,
    );
  }
}
