import { layerNull } from "../../src/layers/compose/null.ts"
import { engineContract } from "../../src/testing/engineContract.ts"

engineContract("The null engine", layerNull())
engineContract("The null engine whose steps take time", layerNull({ cost: "2 millis" }))
engineContract("The null engine without overlap", layerNull({ disableAsyncOutputProc: true }))
