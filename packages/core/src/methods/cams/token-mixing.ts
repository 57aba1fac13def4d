import type { Expression } from '../../onnx/expression.ts';
import type { Subject } from '../method.ts';

// Attention moves the content of patches through the blocks of a transformer: a product of one matrix for each block.

/** The attention of a transformer's blocks, and functions to read a matrix of tokens as a map. */
export interface TokenMixing {
  /** Attention of each block, [N·heads, T, T] or [N, heads, T, T]. */
  readonly weights: readonly Expression[];
  /** The identity [T, T]. */
  readonly itself: Expression;
  /** Reshapes a value of the shape of `weights` to separate heads, [N, heads, T, T]. */
  byHead(weights: Expression): Expression;
  /** Reads how much of each patch is in the class token, or in the mean of all tokens if there is none: [N, h, w]. */
  read(mixed: Expression): Expression;
}

export function tokenMixing({ logits, transformer }: Pick<Subject, 'logits' | 'transformer'>): TokenMixing {
  const { blocks, grid, prefix, suffix, tokenAxis } = transformer();
  const sides = logits.of(blocks[0]!.output).shape;
  const [rows, tokens] = [sides[1 - tokenAxis]!, sides[tokenAxis]!];
  /** The index of the class token: the first token, or the last of those after the patches. */
  const at = prefix > 0 ? 0 : suffix > 0 ? tokens - 1 : undefined;
  return {
    weights: blocks.map((block) => logits.of(block.weights)),
    itself: logits.floats(
      [tokens, tokens],
      Float32Array.from({ length: tokens * tokens }, (_, i) => Number(i % (tokens + 1) === 0)),
    ),
    byHead(weights) {
      const heads = weights.shape.length === 3 ? weights.shape[0]! / rows : weights.shape[1]!;
      return weights.reshape([rows, heads, tokens, tokens]);
    },
    read(mixed) {
      const read = at === undefined ? mixed.mean([1]) : mixed.slice(1, at, at + 1);
      return read.slice(2, prefix, tokens - suffix).reshape([rows, ...grid]);
    },
  };
}

/** Multiplies the matrices [N, T, T] by which blocks mix tokens one after the other. */
export const mixedBy = (blocks: readonly Expression[]): Expression =>
  blocks.reduce((before, block) => block.matmul(before));
