/** Storage types of weights, KV cache and activations. The order is the native enum's order. */
export const dtypes = ["float32", "bfloat16", "float16"] as const
export type Dtype = (typeof dtypes)[number]

export const dtypeCode = (dtype: Dtype): number => dtypes.indexOf(dtype)
export const dtypeOf = (code: number): Dtype => dtypes[code]!
export const dtypeBytes = (dtype: Dtype): number => (dtype === "float32" ? 4 : 2)
