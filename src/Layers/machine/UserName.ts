import * as fs from "node:fs"

/** The name of a user; `user 1234` for one that /etc/passwd does not have. */
export const userName = (uid: number): string => {
  let table = ""
  try {
    table = fs.readFileSync("/etc/passwd", "utf8")
  } catch {
    // A container may come without it.
  }
  const line = table.split("\n").find((entry) => entry.split(":")[2] === String(uid))
  return line?.split(":")[0] ?? (uid === 0 ? "root" : `user ${uid}`)
}
