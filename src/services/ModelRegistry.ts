import * as Context from "effect/Context"
import type { Architecture } from "../domain/model/architecture.ts"
import { architectures } from "../domain/model/registry.ts"

/** The model families that an engine can build, looked up in this order; where nobody provides one, those it comes with. */
export class ModelRegistry extends Context.Reference<ModelRegistry>()("millrace/ModelRegistry", {
  defaultValue: (): { readonly architectures: ReadonlyArray<Architecture> } => ({ architectures })
}) {}
