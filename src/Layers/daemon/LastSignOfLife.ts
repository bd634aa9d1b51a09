import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import { readTextFile } from "../files/TextFile.ts"
import { AutopilotHome } from "./AutopilotHome.ts"

/**
 * The pid and the last sign of life (milliseconds since 1970) of a daemon that runs, or that was killed; undefined after
 * one that has stopped.
 */
export const lastSignOfLife: Effect.Effect<
  { readonly pid: number; readonly atMs: number } | undefined,
  never,
  AutopilotHome
> = Effect.gen(function* () {
  const { aliveFile } = yield* AutopilotHome
  const { text } = yield* readTextFile(aliveFile)
  const { mtimeMs } = yield* Effect.tryPromise(() => fs.stat(aliveFile))
  return /^[1-9][0-9]{0,9}$/.test(text.trim())
    ? { pid: Number(text.trim()), atMs: Math.round(mtimeMs) }
    : undefined
}).pipe(Effect.orElseSucceed(() => undefined))
