type SnippetId = 'cli' | 'curl' | 'python' | 'typescript';

export interface Snippet {
  readonly id: SnippetId;
  readonly text: string;
}
