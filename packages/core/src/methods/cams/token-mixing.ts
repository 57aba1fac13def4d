import type { Expression } from '../../onnx/expression.ts';
import type { Subject } from '../method.ts';

// How attention carries what is in patches through the blocks of a transformer: a product of one matrix for each block.

/** What a transformer's blocks attend to, and how a matrix of tokens is read as a map. */
export interface TokenMixing {
  /** Attention of each block, [N·heads, T, T] or [N, heads, T, T]. */
  readonly weights: readonly Expression[];
  /** The identity [T, T]. */
  readonly itself: Expression;
  /** A value of the shape of `weights` by heads, [N, heads, T, T]. */
  byHead(weights: Expression): Expression;
  /** What of each patch is in the class token, or in all tokens where there is none: [N, h, w]. */
  read(mixed: Expression): Expression;
}

export function tokenMixing({ logits, transformer }: Pick<Subject, 'logits' | 'transformer'>): TokenMixing {
  const { blocks, grid, prefix, suffix, tokenAxis } = transformer();
  const sides = logits.of(blocks[0]!.output).shape;
  const [rows, tokens] = [sides[1 - tokenAxis]!, sides[tokenAxis]!];
  /** The class token is the first, or the last of those behind the patches. */
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

/** What comes of tokens that blocks mix one after the other, by matrices [N, T, T]. */
export const mixedBy = (blocks: readonly Expression[]): Expression =>
  blocks.reduce((before, block) => block.matmul(before));
