import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { html } from "../../Domain/html/Html.ts"
import { AutopilotHome, HomeUnusable } from "../daemon/AutopilotHome.ts"
import { replaceFile } from "../files/AtomicFile.ts"

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

/** The secret of one run of the panel, which its link carries. */
export interface PanelToken {
  readonly text: string
  /** Compares in constant time. */
  readonly matches: (given: string) => boolean
}

export const makeToken = (): PanelToken => {
  const text = randomBytes(32).toString("base64url")
  const expected = digest(text)
  return { text, matches: (given) => timingSafeEqual(digest(given), expected) }
}

/**
 * Writes a page that leads a browser to the link, and returns its path until the scope closes. The command line of a
 * browser is visible to every user of the machine, so it must not hold the token.
 */
export const linkPage = (link: string) =>
  Effect.gen(function* () {
    const { root } = yield* AutopilotHome
    const path = join(root, "gui.html")
    const page = html`<!doctype html><meta charset="utf-8"><title>autopilotd</title>
<meta http-equiv="refresh" content="0; url=${link}"><a href="${link}">Open the panel of autopilotd</a>
`
    yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: () => replaceFile(path, page.text),
        catch: (cause) => HomeUnusable.from(path, cause)
      }),
      () => Effect.promise(() => fs.rm(path, { force: true }).catch(() => undefined))
    )
    return path
  })
