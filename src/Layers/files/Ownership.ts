import * as fs from "node:fs/promises"

/** The owner and the permissions of a file or folder. */
interface Owned {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

/** The users besides this one and root who may change a file or folder, and the fix. */
interface Distrust {
  /** Continues a sentence that begins with the path. */
  readonly reason: string
  /** Undefined where another user owns it. */
  readonly chmod: string | undefined
}

/** The lines of /etc/passwd or /etc/group as fields; none where the file is missing. */
const records = async (path: string): Promise<ReadonlyArray<ReadonlyArray<string>>> =>
  (await fs.readFile(path, "utf8").catch(() => "")).split("\n").map((line) => line.split(":"))

const own = process.getuid?.() ?? 0

/**
 * Whether a group has no other member than the user and root: the private group that most systems give each user, and
 * root's own. A group that /etc/group does not know counts as private when it has the number of the user.
 */
const isPrivate = async (gid: number): Promise<boolean> => {
  if (gid === 0) return true
  const users = await records("/etc/passwd")
  const trusted = users.filter(([, , uid]) => Number(uid) === own || Number(uid) === 0).map(([name]) => name)
  const group = (await records("/etc/group")).find(([, , id]) => id === String(gid))
  if (group === undefined) return gid === own
  const others = users.filter(([name, , , primary]) => primary === String(gid) && !trusted.includes(name))
  const members = (group[3] ?? "").split(",").filter((name) => name !== "")
  return others.length === 0 && members.every((name) => trusted.includes(name))
}

const nameOf = async (uid: number): Promise<string> => {
  const [name] = (await records("/etc/passwd")).find(([, , id]) => id === String(uid)) ?? []
  return name === undefined ? `uid ${uid}` : `${name} (uid ${uid})`
}

/**
 * Returns why a file or folder cannot be trusted: another user than this one and root owns it or may write to it.
 * Undefined when it can. Group write permission counts unless the group is private.
 */
export const distrust = async ({ gid, mode, uid }: Owned): Promise<Distrust | undefined> => {
  if (uid !== own && uid !== 0) return { reason: `belongs to ${await nameOf(uid)}`, chmod: undefined }
  if ((mode & 0o002) !== 0) return { reason: "can be written by every user", chmod: "chmod o-w" }
  return (mode & 0o020) === 0 || (await isPrivate(gid))
    ? undefined
    : { reason: `can be written by all users of group ${gid}`, chmod: "chmod g-w" }
}
