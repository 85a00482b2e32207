import { describe, expect, it } from "vitest"
import { CliError } from "../../src/cli/cliError.ts"
import { generateFlags, generateHelp, sortValues } from "../../src/cli/generateFlags.ts"
import { parseLine } from "../../src/cli/parse.ts"
import { EngineOptions } from "../../src/domain/config/engineOptions.ts"
import { fieldsOf } from "../../src/domain/config/fields.ts"
import { SamplingFields } from "../../src/domain/sampling/samplingParams.ts"

const parse = (...args: ReadonlyArray<string>) => parseLine(args, generateFlags)

describe("the command line", () => {
  it("turns texts into what the Schema asks for", () => {
    const { values, positionals } = parse(
      ...["--model", "7", "hello", "--temperature=0.5", "--top-k", "-1", "--stop", "a", "--stop", "5"],
      ...["--stop-token-ids", "3", "--stop-token-ids=4", "--json", "--no-detokenize", "--max-parked-time", "5 seconds"],
      ...["--override-generation-config", '{"top_p":0.5}', "--", "--not-a-flag"]
    )
    expect(values).toEqual({
      model: "7",
      temperature: 0.5,
      topK: -1,
      stop: ["a", "5"],
      stopTokenIds: [3, 4],
      json: true,
      detokenize: false,
      maxParkedTime: "5 seconds",
      overrideGenerationConfig: { top_p: 0.5 }
    })
    expect(positionals).toEqual(["hello", "--not-a-flag"])
  })

  it("sorts values by whom they are for, and gives the seed to the request", () => {
    const sorted = sortValues(parse("--model", "m", "--seed", "3", "--block-size", "32", "--raw").values)
    expect(sorted).toEqual({
      own: { raw: true, progress: true },
      sampling: { seed: 3 },
      beam: {},
      engine: { model: "m", blockSize: 32 }
    })
  })

  it.each([
    [["--max-tokn", "5"], "There is no flag --max-tokn. Did you mean --max-tokens?"],
    [["--maxModelLen", "5"], "Did you mean --max-model-len?"],
    [["--no-model"], "There is no flag --no-model"],
    [["--model"], "--model needs a value: a text that is not empty."],
    [["--model", "a", "--model", "b"], "--model is given twice"],
    [["--logit-bias", "{x"], "--logit-bias is given JSON that does not parse"]
  ])("refuses %j", (args, message) => {
    expect(() => parse(...args)).toThrow(CliError)
    expect(() => parse(...args)).toThrow(message)
  })

  it("explains every flag, with its default, from the Schema that decodes it", () => {
    const help = generateHelp().replace(/\n +/g, " ")
    const fields = [...fieldsOf(EngineOptions.ast), ...fieldsOf(SamplingFields.ast)]
    for (const { name, description } of fields)
      if (!["outputKind", "seed", "maxTokens"].includes(name)) expect(help, name).toContain(description)
    for (const { name } of generateFlags) expect(help).toMatch(new RegExp(`--(no-)?${name}\\b`))
    expect(help).toContain("--block-size <16, 32, 64 or 128> Tokens in one block of the KV cache. Default: 16.")
    expect(help).toContain("--no-enable-prefix-caching Turns off:")
  })
})
