/** What a network decides: one class of several, each class by itself, yes or no by one output, or a quantity. */
export const tasks = ['multiclass', 'multilabel', 'binary', 'regression'] as const;
export type Task = (typeof tasks)[number];
