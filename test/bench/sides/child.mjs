// The process of one side: loads it, says so, then answers one call after another.
const [name, options] = process.argv.slice(2)
const answer = async (work) => {
  try {
    process.send({ value: await work() })
  } catch (error) {
    process.send({ error: error?.message ?? String(error) })
  }
}

let side
await answer(async () => {
  const { open } = await import(`./${name}.mjs`)
  const start = performance.now()
  side = await open(JSON.parse(options))
  return { loadMs: performance.now() - start }
})
process.on("message", ({ verb, argument }) => answer(() => side[verb](argument)))
