/** One call of a reference library, as recorded beside its outputs. */
export interface Entry {
  readonly id: string;
  readonly library: 'torchcam' | 'pytorch-grad-cam' | 'captum';
  readonly params: Readonly<Record<string, unknown>>;
  readonly target: number;
  readonly target_layers?: readonly { readonly torch: string; readonly onnx_tensor: string }[];
  /** Images that the library sent through the model. */
  readonly forward_rows?: number;
  readonly outputs: readonly Output[];
}

export interface Output {
  readonly role: string;
  readonly file: string;
  /** `full`; `sampled`: only `[..., 3::8, 3::8]`; `chan0`: channels are equal, the first is stored. */
  readonly form: 'full' | 'sampled' | 'sampled_hwc' | 'chan0' | 'chan0_sampled';
  readonly stored_shape: readonly number[];
  readonly stats: { readonly sum_abs: number; readonly l2: number };
}

export interface Manifest {
  readonly input: string;
  readonly onnx_file: string;
  readonly entries: readonly Entry[];
}
