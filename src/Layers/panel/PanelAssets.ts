import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import { extname, join } from "node:path"
import { gzipSync } from "node:zlib"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { messageOf } from "../files/SystemError.ts"

/** The files of the page are missing. */
export class AssetsMissing extends Data.TaggedError("AssetsMissing")<{
  readonly path: string
  readonly cause: unknown
}> {
  override get message(): string {
    return `The files of the panel cannot be read from ${this.path}: ${messageOf(this.cause)}. Install autopilotd again.`
  }
}

const contentTypes: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".woff2": "font/woff2"
}

interface Asset {
  readonly content: Uint8Array
  /** The same, compressed. Undefined for what is compressed already, as fonts are. */
  readonly gzipped: Uint8Array | undefined
  readonly contentType: string
}

/** The static files of the page, in memory. Their addresses change with their contents, so browsers keep them for ever. */
export interface PanelAssets {
  /** The address of a file. */
  readonly url: (name: string) => string
  readonly at: (url: string) => Asset | undefined
}

/** Reads the files that the build has put beside the bundle. */
export const loadAssets: Effect.Effect<PanelAssets, AssetsMissing> = Effect.suspend(() => {
  const folder = join(import.meta.dirname, "panel")
  return Effect.tryPromise({
    try: async () => {
      const names = await fs.readdir(folder)
      const files = await Promise.all(
        names.map(async (name) => ({ name, content: await fs.readFile(join(folder, name)) }))
      )
      // One version for all: the style sheet names the fonts beside it.
      const hash = createHash("sha256")
      for (const { content } of files) hash.update(content)
      const version = hash.digest("base64url").slice(0, 12)
      const url = (name: string): string => `/assets/${version}/${name}`
      const assets = new Map(
        files.map(({ content, name }) => [
          url(name),
          {
            content,
            gzipped: extname(name) === ".woff2" ? undefined : gzipSync(content),
            contentType: contentTypes[extname(name)] ?? "application/octet-stream"
          }
        ])
      )
      return { url, at: (path: string) => assets.get(path) }
    },
    catch: (cause) => new AssetsMissing({ path: folder, cause })
  })
})
