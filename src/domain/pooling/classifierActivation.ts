import type { ClassifierActivation } from "./finish.ts"

type Json = Readonly<Record<string, unknown>>

/** "torch.nn.modules.activation.Sigmoid" -> "sigmoid" */
const byTorchName = (name: string): ClassifierActivation | undefined => {
  switch (name.slice(name.lastIndexOf(".") + 1)) {
    case "Sigmoid":
      return "sigmoid"
    case "Softmax":
      return "softmax"
    case "Identity":
      return "identity"
    default:
      return undefined
  }
}

const named = (config: Json): unknown => {
  const { sentence_transformers: own } = config
  const inner = typeof own === "object" && own !== null ? (own as Json).activation_fn : undefined
  return inner ?? config.sbert_ce_default_activation_function ?? undefined
}

/**
 * What turns a classifier's logits into its answer: what Sentence Transformers wrote into config.json, else by problem_type,
 * else a sigmoid for one label and a softmax for more. A text: the problem.
 */
export const classifierActivation = (
  config: Json,
  labels: number
): ClassifierActivation | { readonly problem: string } => {
  const name = named(config)
  if (name !== undefined) {
    const known = byTorchName(String(name))
    return (
      known ?? { problem: `config.json names the activation ${String(name)}; known are Sigmoid, Softmax and Identity` }
    )
  }
  if (config.problem_type === "regression") return "identity"
  if (config.problem_type === "multi_label_classification") return "sigmoid"
  return labels === 1 ? "sigmoid" : "softmax"
}
