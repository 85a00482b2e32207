/**
 * Why a template gave no text. `syntax`: it is no template. `raised`: it refused by raise_exception, in its own words.
 * `failed`: an operation on values that Python would refuse too. `limit`: it asked for more than a template may have.
 */
export type FaultKind = "syntax" | "raised" | "failed" | "limit"

export class TemplateFault extends Error {
  override readonly name = "TemplateFault"
  constructor(
    readonly kind: FaultKind,
    message: string,
    /** In the template's source, from 1; 0 when no line is known. */
    readonly line: number
  ) {
    super(message)
  }
}
