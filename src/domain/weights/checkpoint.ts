/** Element types that safetensors files hold and that we read. */
export const tensorDtypes = ["F32", "F16", "BF16"] as const
export type TensorDtype = (typeof tensorDtypes)[number]

/** Where one tensor lies: `bytes` bytes at `offset` of `files[file]`, row-major. */
export interface TensorLocation {
  readonly name: string
  /** As the file spells it (F32, BF16, I64...); only `tensorDtypes` can be read as weights. */
  readonly dtype: string
  readonly shape: ReadonlyArray<number>
  readonly file: number
  readonly offset: number
  readonly bytes: number
}

/** Every tensor of a checkpoint by name. The files are mapped by the backend, read once, never written. */
export interface CheckpointTensors {
  readonly files: ReadonlyArray<string>
  readonly tensors: ReadonlyMap<string, TensorLocation>
}

/** How the checkpoints of one family spell their tensors. */
export interface TensorNaming {
  /** A tensor `from + rest` of the plan may stand in the files as `to + rest`. */
  readonly prefixes: ReadonlyArray<{ readonly from: string; readonly to: string }>
  /** Regular expressions of tensors to pass over: buffers that are computed, copies of what is tied. */
  readonly ignored: ReadonlyArray<string>
}
