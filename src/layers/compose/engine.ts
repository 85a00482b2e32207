import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { decodeEngineOptions, type EngineOptions } from "../../domain/config/engineOptions.ts"
import type { DeviceUnavailable, StartError } from "../../domain/errors.ts"
import type { Backend } from "../../services/Backend.ts"
import type { Engine } from "../../services/Engine.ts"
import type { Hub } from "../../services/Hub.ts"
import type { ModelSource as ModelSourceTag } from "../../services/ModelSource.ts"
import * as BlockAllocator from "../BlockAllocator.ts"
import * as Cpu from "../backend/Cpu.ts"
import * as Cuda from "../backend/Cuda.ts"
import * as Null from "../backend/Null.ts"
import * as Reference from "../backend/Reference.ts"
import * as ChatTemplate from "../ChatTemplate.ts"
import * as EngineLayer from "../engine/Engine.ts"
import * as Grammar from "../Grammar.ts"
import * as HubLayer from "../hub/Hub.ts"
import * as ModelRunner from "../ModelRunner.ts"
import * as ModelSource from "../ModelSource.ts"
import * as Pooler from "../Pooler.ts"
import * as Sampler from "../Sampler.ts"
import * as Scheduler from "../Scheduler.ts"
import * as Tokenizer from "../Tokenizer.ts"

const cpu = ({ numThreads }: EngineOptions) => Cpu.layer(numThreads === undefined ? {} : { numThreads })

/** The CPU runtime, or where it was not built the interpreter, which is slow: that is said aloud. */
const best = (options: EngineOptions): Layer.Layer<Backend> =>
  cpu(options).pipe(
    Layer.catchAll((error) =>
      Layer.unwrapEffect(
        Effect.as(
          Effect.logWarning(`${error.message} Running on the reference backend, hundreds of times slower.`),
          Reference.layer
        )
      )
    )
  )

/** The device that the options name. A checkpoint that it cannot run is refused when it is loaded. */
export const backendLayer = (options: EngineOptions): Layer.Layer<Backend, DeviceUnavailable> => {
  switch (options.device ?? "auto") {
    case "auto":
      return best(options)
    case "cpu":
      return cpu(options)
    case "cuda":
      return Cuda.layer
    case "reference":
      return Reference.layer
    case "null":
      return Null.layer()
  }
}

const warn = ({ trustRemoteCode }: EngineOptions) =>
  trustRemoteCode === true
    ? Effect.logWarning("trustRemoteCode does nothing: no code of a checkpoint is ever run.")
    : Effect.void

/** An engine over a device of the caller's: all parts but the Backend are the usual ones. */
export const layerOver = (
  options: EngineOptions,
  backend: Layer.Layer<Backend, DeviceUnavailable>,
  hub: Layer.Layer<Hub> = HubLayer.layer()
): Layer.Layer<Engine, StartError> =>
  EngineLayer.layer(options).pipe(
    Layer.provide(
      Layer.mergeAll(
        Layer.provide(ModelRunner.layer, backend),
        Layer.provide(ModelSource.layerHub, hub),
        Tokenizer.layer,
        ChatTemplate.layer,
        Sampler.layer,
        Pooler.layer,
        Grammar.layer,
        Scheduler.layer,
        BlockAllocator.layer
      )
    )
  )

/** An engine over a checkpoint, with nothing left to provide. Reads no environment. `hub` says where models come from. */
export const layer = (given: EngineOptions, hub?: Layer.Layer<Hub>): Layer.Layer<Engine, StartError> =>
  Layer.unwrapEffect(
    Effect.map(Effect.tap(decodeEngineOptions(given), warn), (options) =>
      layerOver(options, backendLayer(options), hub)
    )
  )

/** The same for people at a terminal: the Hub by `HF_*`, with a bar while a model comes. */
export const layerWithHubConfig = (options: EngineOptions): Layer.Layer<Engine, StartError> =>
  layer(options, HubLayer.layerConfig())

/** Local folders, and the Hub by `HF_*`. */
export const modelSourceLayer: Layer.Layer<ModelSourceTag> = Layer.provide(ModelSource.layerHub, HubLayer.layerConfig())
