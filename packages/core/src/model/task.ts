/** What a model may have been trained for. */
export const tasks = ['multiclass', 'multilabel', 'binary', 'regression'] as const;
export type Task = (typeof tasks)[number];
