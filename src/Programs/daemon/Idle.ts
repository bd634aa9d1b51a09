import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { usablePlansOf } from "../../Domain/worker/ProjectPlan.ts"
import * as SettingsFile from "../../Layers/settings/SettingsFile.ts"
import { loadUsable } from "../../Layers/settings/SettingsLoader.ts"
import { sourcesOf } from "../Sources.ts"

/** Whether a start would find no worker. Settings with mistakes name one: the start says what is wrong with them. */
export const startsNothing = (invocation: Invocation) =>
  sourcesOf(invocation).pipe(
    Effect.flatMap((sources) => loadUsable(sources)),
    Effect.map((settings) => Either.isLeft(usablePlansOf(settings))),
    Effect.orElseSucceed(() => false),
    Effect.provide(SettingsFile.layer)
  )
