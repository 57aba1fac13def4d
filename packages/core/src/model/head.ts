/** What a score is, decided once for each classifier: what its output is made by, and what its numbers mean. */
export interface Head {
  /**
   * What makes the numbers that are shown: one softmax over all classes, a sigmoid for each class, a mixture of several
   * of these, or nothing that makes probabilities.
   */
  readonly kind: 'softmax' | 'sigmoid' | 'mixture' | 'number';
  /** What the model was trained for: one class of several, any of several, yes or no, or a number. */
  readonly task: 'multiclass' | 'multilabel' | 'binary' | 'regression';
  /** The model's output that is explained. */
  readonly output: string;
  /** The model's other outputs. */
  readonly others: readonly string[];
}
