import { InvalidOptions } from "../errors.ts"
import type { BlockPool, BlockPoolConfig } from "./blockPool.ts"
import { checkPool } from "./checkPool.ts"
import { makeFreeList } from "./freeList.ts"
import { makePrefixIndex } from "./prefixIndex.ts"

const positive = (field: string, value: number, mend: string) => {
  if (Number.isInteger(value) && value >= 1) return
  throw new InvalidOptions({ field, given: String(value), expected: "a whole number of at least 1", mend })
}

/** A pool whose blocks are all free, lent from 1 upwards. */
export const makeBlockPool = (config: BlockPoolConfig): BlockPool => {
  positive("blocks", config.blocks, "Give the KV cache memory for at least one block.")
  positive("blockSize", config.blockSize, "16 is the usual size.")
  const { blockSize, prefixCaching } = config
  const references = new Int32Array(config.blocks + 1)
  const freeList = makeFreeList(config.blocks)
  const index = makePrefixIndex(config.blocks, blockSize)

  const take = () => {
    const block = freeList.take()
    index.evict(block)
    references[block] = 1
    return block
  }
  const hold = (block: number) => {
    if (references[block]! === 0) freeList.remove(block)
    references[block]!++
  }
  const giveBack = (block: number) => {
    if (references[block]! <= 0) throw new Error(`Block ${block} is given back, but nobody holds it.`)
    if (--references[block]! > 0) return
    // What no prompt can adopt is reused before anything that one might.
    if (index.has(block)) freeList.append(block)
    else freeList.prepend(block)
  }

  return {
    config,
    get free() {
      return freeList.size
    },
    extend: (table, tokens) => {
      const need = Math.ceil(tokens / blockSize) - table.blocks.length
      if (need > freeList.size) return false
      for (let i = 0; i < need; i++) table.blocks.push(take())
      return true
    },
    adopt: (table, tokens, extraKey) => {
      if (table.blocks.length > 0) throw new Error("Only an empty block table can adopt a cached prefix.")
      if (!prefixCaching) return 0
      const most = Math.floor((tokens.length - 1) / blockSize)
      let parent = 0
      for (let i = 0; i < most; i++) {
        const block = index.find(parent, tokens, i * blockSize, extraKey)
        if (block === 0) break
        hold(block)
        parent = index.nameOf(block)
        table.blocks.push(block)
        table.hashes.push(parent)
      }
      return table.blocks.length * blockSize
    },
    register: (table, tokens, computed, extraKey) => {
      if (!prefixCaching) return
      const full = Math.floor(computed / blockSize)
      if (computed > tokens.length || full > table.blocks.length)
        throw new Error(`${computed} tokens cannot be registered: ${tokens.length} are known.`)
      for (let i = table.hashes.length; i < full; i++) {
        const parent = i === 0 ? 0 : table.hashes[i - 1]!
        const block = table.blocks[i]!
        // A fork may have registered this very block, behind a parent that has left the index since: its name stands.
        if (index.has(block)) table.hashes.push(index.nameOf(block))
        else {
          const twin = index.find(parent, tokens, i * blockSize, extraKey)
          // A twin was computed beside this block: it stays the one to adopt, and the chain goes on behind it.
          table.hashes.push(twin === 0 ? index.add(block, parent, tokens, i * blockSize, extraKey) : index.nameOf(twin))
        }
      }
    },
    fork: (from, to) => {
      if (to.blocks.length > 0) throw new Error("Only an empty block table can become a fork of another.")
      for (const block of from.blocks) hold(block)
      to.blocks.push(...from.blocks)
      to.hashes.push(...from.hashes)
    },
    shared: (table, at) => at < table.blocks.length && references[table.blocks[at]!]! > 1,
    unshare: (table, at) => {
      const from = table.blocks[at]!
      if (freeList.size === 0) throw new Error(`No block is free to copy block ${from} to.`)
      if (at < table.hashes.length) throw new Error(`Block ${from} is registered as it is: it must not be written to.`)
      const to = take()
      table.blocks[at] = to
      giveBack(from)
      return { from, to }
    },
    release: (table) => {
      for (let i = table.blocks.length - 1; i >= 0; i--) giveBack(table.blocks[i]!)
      table.blocks.length = 0
      table.hashes.length = 0
    },
    check: (tables) => checkPool(tables, references, freeList, index)
  }
}
