import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ProjectName } from "../../Domain/Project.ts"
import { isProjectName, projectNameExpected } from "../../Domain/ProjectNameRules.ts"

/** The project that a page asks about. */
export const AskedProject = Schema.String.pipe(
  Schema.filter((text): text is ProjectName => isProjectName(text), {
    message: () => `a project's name is ${projectNameExpected}`
  })
)

/** The query of a request is not what the route takes. */
export class BadQuestion extends Data.TaggedError("BadQuestion")<{ readonly message: string }> {}

/** The query of the request. A key without a value counts as absent. */
export const asked = <A, I extends Readonly<Record<string, unknown>>>(schema: Schema.Schema<A, I>) =>
  Effect.gen(function* () {
    const { url } = yield* HttpServerRequest.HttpServerRequest
    const pairs = [...new URLSearchParams(url.split("?").slice(1).join("?"))].filter(
      ([, value]) => value !== ""
    )
    return yield* Schema.decodeUnknown(schema)(Object.fromEntries(pairs)).pipe(
      Effect.mapError(
        (error) => new BadQuestion({ message: `The question is not understood: ${error.message}` })
      )
    )
  })
