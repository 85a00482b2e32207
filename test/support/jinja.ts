import * as jinja from "@huggingface/jinja"
import type { Library } from "../../src/domain/chat/jinja/library.ts"
import { compilerOf } from "../../src/domain/chat/jinja/template.ts"

/** The compiler that the chat template layer uses. */
export const compile = compilerOf(jinja as unknown as Library)
