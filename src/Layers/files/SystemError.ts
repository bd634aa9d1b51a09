/** The system's code of an error, as `ENOENT`; undefined when it has none. */
export const errorCode = (cause: unknown): string | undefined =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined

/** The message of an error, or the text of whatever else was thrown. */
export const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** Why the system refused to read or write a file or folder, and how a user fixes that. */
interface Refusal {
  readonly reason: string
  readonly advice: string
}

const denied: Refusal = { reason: "permission denied", advice: "Make it and its folder writable for you" }
const full: Refusal = { reason: "the disk is full", advice: "Free some space there" }
const notAFolder: Refusal = {
  reason: "a part of the path is a file, not a folder",
  advice: "Choose another path"
}
const tooManyFiles: Refusal = {
  reason: "too many files are open",
  advice: "Raise the limit (ulimit -n) and start again"
}

const refusals: Readonly<Record<string, Refusal>> = {
  EACCES: denied,
  EPERM: denied,
  EROFS: { reason: "it is on a read-only file system", advice: "Make that writable" },
  ENOSPC: full,
  EDQUOT: full,
  ENOENT: { reason: "there is no such folder", advice: "Create it" },
  ENOTDIR: notAFolder,
  // From mkdir(2), where a file has the name of the folder.
  EEXIST: notAFolder,
  EISDIR: { reason: "it is a folder, not a file", advice: "Rename it" },
  ESPIPE: { reason: "it is a pipe, not a file", advice: "Remove it" },
  ELOOP: { reason: "its symbolic links lead in a circle", advice: "Remove one of them" },
  ENAMETOOLONG: { reason: "the path is too long", advice: "Choose a shorter one" },
  EMFILE: tooManyFiles,
  ENFILE: tooManyFiles
}

/** Why a file or folder cannot be written, and the fix; undefined for an error that is not known. */
export const refusalOf = (cause: unknown): Refusal | undefined => refusals[errorCode(cause) ?? ""]

/** Why a file cannot be read or written, as a clause: `permission denied`. */
export const reasonOf = (cause: unknown): string => refusalOf(cause)?.reason ?? messageOf(cause)

/** Continues a sentence that begins with the path of a file: why it was not written, and the fix. */
export const whyNotWritten = (cause: unknown): string => {
  const refusal = refusalOf(cause)
  return `was not written: ${refusal === undefined ? messageOf(cause) : `${refusal.reason}. ${refusal.advice}`}`
}
