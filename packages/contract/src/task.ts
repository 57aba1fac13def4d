/** What a network decides: one class of several, each class by itself, yes or no by one output, or a quantity. */
export const tasks = ['multiclass', 'multilabel', 'binary', 'regression'] as const;
export type Task = (typeof tasks)[number];

/** The task of a result. `segmentation`: the explanation explains a class over a region of a segmenter's maps. */
export const resultTasks = [...tasks, 'segmentation'] as const;
export type ResultTask = (typeof resultTasks)[number];
