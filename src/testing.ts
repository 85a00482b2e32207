/** For tests of applications: an engine that answers by script, its device, and the suite that every engine must pass. */
export { layer as layerNullBackend, type NullOptions } from "./layers/backend/Null.ts"
export type { Script } from "./layers/backend/nullModel.ts"
export { type LayerNullOptions, layerNull } from "./layers/compose/null.ts"
export { engineContract } from "./testing/engineContract.ts"
