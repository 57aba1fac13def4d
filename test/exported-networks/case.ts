/** The content of case.json, which case.py writes. */
export interface Case {
  readonly group: string;
  readonly name: string;
  /** The model argument of the command line, and the ONNX file in it. */
  readonly model: string;
  readonly file: string;
  readonly photo: string;
  readonly flags: readonly string[];
  readonly preparation: readonly string[];
  /** The kind of the output: logits of a softmax or of sigmoids, probabilities, or plain numbers. */
  readonly head: 'softmax' | 'sigmoid' | 'probability' | 'number';
  readonly classes: number;
  readonly output: string | null;
  readonly target: number;
  readonly shown: number;
  readonly shown_tolerance: number;
  /** Whether gradient.npy has a framework's gradient; otherwise differences of the file's own scores are used. */
  readonly gradient: boolean;
  readonly tolerance: number | null;
  /** The difference between the framework's float32 and float64 gradients. */
  readonly floor: number;
  /** The file and output whose differences are used, if the file itself ends in probabilities. */
  readonly scores: { readonly file: string; readonly output: string } | null;
  /** The required name of the class, if the tool's files name it. */
  readonly label: string | null;
}

/** Each of the three is empty if the result is right, else it is the reason. */
export type Verdict =
  | { readonly exported: false; readonly why: string; accepted?: string; shown?: string; gradient?: string }
  | { readonly exported: true; readonly accepted: string; readonly shown: string; readonly gradient: string };
