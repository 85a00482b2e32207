import type { Value } from "./value.ts"

/** Names within names: the body of a loop, a macro or a block sees those around it, and keeps its own to itself. */
export class Scope {
  private readonly own = new Map<string, Value>()
  constructor(private readonly outer?: Scope) {}

  get(name: string): Value | undefined {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.outer) {
      const value = scope.own.get(name)
      if (value !== undefined) return value
    }
    return undefined
  }

  set(name: string, value: Value): void {
    this.own.set(name, value)
  }
}
