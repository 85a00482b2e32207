/**
 * What one sequence's output may still become, token by token. Owned by its sequence; synchronous, called from the engine's
 * fiber only. Every child of a request has its own: a fork is cheap, for the states are shared and never changed.
 */
export interface TokenConstraint {
  /**
   * Writes the tokens that may come next into `out` from word `offset`: bit t % 32 of word `offset + t / 32` is set when token
   * t is allowed. All of the mask's words are written (`maskWords` of the model's vocabulary), whatever they held.
   * End-of-sequence tokens are allowed exactly when the output may end here; once `finished`, they alone are.
   */
  fillMask(out: Uint32Array, offset: number): void
  /** Words that fillMask writes. */
  readonly words: number
  /** Takes a drawn token. A token that the mask forbids ends the constraint: it is a fault of the caller, and throws. */
  accept(tokenId: number): void
  /** A constraint in the same state that goes its own way. */
  fork(): TokenConstraint
  /** The output is whole and nothing can follow but its end. */
  readonly finished: boolean
}

/** Words of 32 tokens that a mask over `vocabSize` tokens takes. */
export const maskWords = (vocabSize: number): number => Math.ceil(vocabSize / 32)
