import { execFileSync } from "node:child_process"
import { resolve } from "node:path"

/** Builds the bundle that the live tests run, where a source is newer: also when vitest is started by itself. */
export const setup = (): void => {
  execFileSync(process.execPath, [resolve(import.meta.dirname, "../scripts/ready.mjs")], { stdio: "inherit" })
}
