import * as fs from "node:fs"
import { dirname, join } from "node:path"
import * as Effect from "effect/Effect"
import { temporaryHome } from "../../live/TestDaemon.ts"

/** /proc and /sys of the test's own. */
export interface KernelFolders {
  readonly proc: string
  readonly sys: string
  /** Makes files, by their paths from the root; undefined removes one. */
  readonly write: (files: Readonly<Record<string, string | undefined>>) => void
}

export const gib = 2 ** 30

/** A file of `/proc`, in bytes. */
export const memInfo = (totalBytes: number, availableBytes: number): string =>
  `MemTotal: ${totalBytes / 1024} kB\nMemFree: 0 kB\nMemAvailable: ${availableBytes / 1024} kB\nSwapTotal: 1024 kB\nSwapFree: 512 kB\n`

export const pressure = (some: number, full: number): string =>
  `some avg10=0.00 avg60=0.00 avg300=0.00 total=${some}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=${full}\n`

/** A machine of 16 GiB, 8 of them available, without a cgroup that limits anything. */
export const kernelFolders = Effect.map(temporaryHome, (root): KernelFolders => {
  const write: KernelFolders["write"] = (files) => {
    for (const [path, text] of Object.entries(files)) {
      const at = join(root, path)
      fs.mkdirSync(dirname(at), { recursive: true })
      if (text === undefined) fs.rmSync(at)
      else fs.writeFileSync(at, text)
    }
  }
  write({
    "proc/meminfo": memInfo(16 * gib, 8 * gib),
    "proc/pressure/memory": pressure(5, 3),
    "proc/self/cgroup": "0::/\n",
    "proc/self/mountinfo": "41 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n",
    "sys/fs/cgroup/memory.stat": "inactive_file 1\nactive_file 1\n"
  })
  return { proc: join(root, "proc"), sys: join(root, "sys"), write }
})
