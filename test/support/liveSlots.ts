import type { Operand, Plan } from "../../src/domain/plan/plan.ts"

interface Life {
  readonly slot: number
  readonly first: number
  readonly last: number
}

const slotsOf = (operands: ReadonlyArray<Operand>) => operands.flatMap((o) => (o.kind === "view" ? [o.slot] : []))

/** First and last instruction that names each slot. What the head reads of the tokens' region is read again for every slab. */
const lives = (plan: Plan): ReadonlyArray<Life> => {
  const answers = [plan.logits, plan.pooler?.pooled, plan.pooler?.each].map((view) => view?.slot)
  return plan.slots.map((slot, index) => {
    const named = plan.instructions.flatMap(({ operands }, at) => (slotsOf(operands).includes(index) ? [at] : []))
    const last = named.at(-1)!
    const outlives = answers.includes(index) || (slot.rows === "tokens" && last >= plan.headStart)
    return { slot: index, first: named[0]!, last: outlives ? plan.instructions.length : last }
  })
}

/**
 * Written apart from the planner: sentences about slots that overlap while both hold something, that leave their
 * region, or that do not begin on a cache line. Within one instruction no two slots may overlap at all.
 */
export const overlaps = (plan: Plan): ReadonlyArray<string> => {
  const all = lives(plan)
  const extent = ({ slot }: Life) => {
    const { offset, width } = plan.slots[slot]!
    return { from: offset, to: offset + Math.ceil(width / 16) * 64 }
  }
  const bad = all.flatMap((a) => {
    const { rows, offset } = plan.slots[a.slot]!
    const room = rows === "tokens" ? plan.tokenBytes : plan.outputBytes
    return [
      ...(offset % 64 === 0 ? [] : [`s${a.slot} begins at ${offset}`]),
      ...(extent(a).to <= room ? [] : [`s${a.slot} ends at ${extent(a).to} of ${room}`])
    ]
  })
  for (const a of all)
    for (const b of all)
      if (
        a.slot < b.slot &&
        plan.slots[a.slot]!.rows === plan.slots[b.slot]!.rows &&
        a.first <= b.last &&
        b.first <= a.last &&
        extent(a).from < extent(b).to &&
        extent(b).from < extent(a).to
      )
        bad.push(`s${a.slot} and s${b.slot} overlap`)
  return bad
}
