import { InvalidRequest } from "../errors.ts"

/** Why a grammar, schema or regex cannot be used. `at` leads to the spot: a JSON pointer with its keyword, or a place in a text. */
export class GrammarFault extends Error {
  constructor(
    readonly at: string,
    readonly given: string,
    readonly expected: string,
    readonly mend: string
  ) {
    super(`${at}: given ${given}, expected ${expected}. ${mend}`)
  }

  /** As the request's own error; `field` is the parameter that holds the grammar. */
  toRequest(field: string): InvalidRequest {
    return new InvalidRequest({
      field: `${field}${this.at}`,
      given: this.given,
      expected: this.expected,
      mend: this.mend
    })
  }
}
