import { execFileSync } from "node:child_process"
import { resolve } from "node:path"

/** Live tests run the bundle: it must be that of the sources at hand, also when vitest is called by itself. */
export const setup = (): void => {
  execFileSync(process.execPath, [resolve(import.meta.dirname, "../scripts/ready.mjs")], { stdio: "inherit" })
}
