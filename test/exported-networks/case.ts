/** What case.json says: case.py writes it. */
export interface Case {
  readonly group: string;
  readonly name: string;
  /** What the command line is given, and the ONNX file in it. */
  readonly model: string;
  readonly file: string;
  readonly photo: string;
  readonly flags: readonly string[];
  readonly preparation: readonly string[];
  /** What the output holds: logits of a softmax or of sigmoids, probabilities, or plain numbers. */
  readonly head: 'softmax' | 'sigmoid' | 'probability' | 'number';
  readonly classes: number;
  readonly output: string | null;
  readonly target: number;
  readonly shown: number;
  readonly shown_tolerance: number;
  /** Whether gradient.npy has what a framework says; otherwise differences of the file's own scores are taken. */
  readonly gradient: boolean;
  readonly tolerance: number | null;
  /** How far the framework's float32 gradient is from its float64 one. */
  readonly floor: number;
  /** The file and output whose differences are taken, where the file itself ends in probabilities. */
  readonly scores: { readonly file: string; readonly output: string } | null;
  /** What the class must be called, where the tool's files name it. */
  readonly label: string | null;
}

/** Each of the three is empty where it is right, else it is the reason. */
export type Verdict =
  | { readonly exported: false; readonly why: string; accepted?: string; shown?: string; gradient?: string }
  | { readonly exported: true; readonly accepted: string; readonly shown: string; readonly gradient: string };
