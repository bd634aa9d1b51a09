import { resolve } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { printable } from "../../Domain/text/Printable.ts"
import { Caller } from "../daemon/Caller.ts"
import { layer, SettingsFile } from "./SettingsFile.ts"

/** `--config` names a file that does not exist. */
class NoSettingsFile extends Data.TaggedError("NoSettingsFile")<{ readonly path: string }> {
  override get message(): string {
    return `There is no ${printable(this.path, 400)}, which --config names. Name a file that exists, or leave --config out.`
  }
}

/** Refuses a `--config` that names no file, also for a command that would not read it. */
export const checkNamed = (config: string) =>
  Effect.gen(function* () {
    const path = resolve((yield* Caller).cwd, config)
    if (!(yield* (yield* SettingsFile).exists(path, "--config"))) return yield* new NoSettingsFile({ path })
  }).pipe(Effect.provide(layer))
