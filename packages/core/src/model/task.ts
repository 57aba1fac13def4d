/** Tasks that models are trained for: one class of several, any of several, yes or no, or a number. */
export const tasks = ['multiclass', 'multilabel', 'binary', 'regression'] as const;
export type Task = (typeof tasks)[number];
