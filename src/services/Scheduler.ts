import * as Context from "effect/Context"
import type { BlockPool } from "../domain/kv/blockPool.ts"
import type { SchedulerConfig, Scheduler as SchedulerInstance } from "../domain/schedule/scheduler.ts"

/** Makes schedulers. The tag holds no state: every engine makes and owns its own. */
export class Scheduler extends Context.Tag("millrace/Scheduler")<
  Scheduler,
  { readonly make: (config: SchedulerConfig, blocks: BlockPool) => SchedulerInstance }
>() {}
