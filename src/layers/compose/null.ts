import * as Layer from "effect/Layer"
import type { StartError } from "../../domain/errors.ts"
import type { Engine } from "../../services/Engine.ts"
import * as BlockAllocator from "../BlockAllocator.ts"
import * as Null from "../backend/Null.ts"
import * as ChatTemplate from "../ChatTemplate.ts"
import * as NullEngine from "../engine/null/nullEngine.ts"
import * as Grammar from "../Grammar.ts"
import * as Sampler from "../Sampler.ts"
import * as Scheduler from "../Scheduler.ts"

export interface LayerNullOptions extends NullEngine.NullEngineOptions, Null.NullOptions {}

/** Letters, so that replies can be read: the same prompt always gets the same ones. */
const letters = (prompt: ReadonlyArray<number>, index: number) => 97 + ((prompt.length + prompt[0]! + 7 * index) % 26)

/**
 * An engine that computes nothing and answers what its script says, for tests: `cost` is what a step takes, in time that
 * a TestClock drives. Prompts are UTF-8 bytes, 256 ends a reply.
 */
export const layerNull = ({
  cost,
  script,
  memory,
  ...options
}: LayerNullOptions = {}): Layer.Layer<Engine, StartError> =>
  NullEngine.layer(options).pipe(
    Layer.provide(
      Layer.mergeAll(
        Null.layer({
          script: script ?? letters,
          ...(cost === undefined ? {} : { cost }),
          ...(memory === undefined ? {} : { memory })
        }),
        Sampler.layer,
        Grammar.layer,
        ChatTemplate.layer,
        Scheduler.layer,
        BlockAllocator.layer
      )
    )
  )
