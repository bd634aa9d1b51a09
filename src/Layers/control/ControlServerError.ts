import * as Path from "node:path"
import * as Data from "effect/Data"
import { errorCode } from "../files/SystemError.ts"

/** Bytes in the path of a Unix socket: `sun_path` has 108, the last one is its end. */
export const maxSocketPathBytes = 107

/** What went wrong and what to do, by the error code of the system. */
const explain = (path: string, code: string): string => {
  const folder = Path.dirname(path)
  const elsewhere = "set AUTOPILOT_HOME to another folder"
  switch (code) {
    case "ENOENT":
      return `the folder ${folder} does not exist. Create it, or ${elsewhere}.`
    case "ENOTDIR":
      return `${folder} is not a folder. Make it one, or ${elsewhere}.`
    case "EACCES":
    case "EPERM":
      return `this user may not write to ${folder}. Make the folder writable, or ${elsewhere}.`
    case "EROFS":
      return `${folder} is on a read-only file system. Make it writable, or ${elsewhere}.`
    case "ENOSPC":
    case "EDQUOT":
      return `the disk that holds ${folder} is full. Free some space there, or ${elsewhere}.`
    case "EISDIR":
      return `a folder has that name. Rename it, or ${elsewhere}.`
    case "EMFILE":
    case "ENFILE":
      return "no more files can be opened. Raise the limit (ulimit -n) and start again."
    default:
      return `the system refused it. Look at ${folder}, or ${elsewhere}.`
  }
}

/** The control socket cannot be bound: at the start, or again after its file has vanished. */
export class ControlServerError extends Data.TaggedError("ControlServerError")<{
  /** Where the socket should be. */
  readonly path: string
  /** The system's code, such as `EACCES`; `ENAMETOOLONG` for a path that no Unix socket can have. */
  readonly code: string
  readonly cause: unknown
}> {
  static from(path: string, cause: unknown): ControlServerError {
    return new ControlServerError({ path, code: errorCode(cause) ?? "unknown error", cause })
  }

  override get message(): string {
    if (this.code === "ENAMETOOLONG") {
      return (
        `The path of the control socket has ${Buffer.byteLength(this.path)} bytes, but Linux allows ` +
        `${maxSocketPathBytes}: ${this.path}. Set AUTOPILOT_HOME to a folder with a shorter path.`
      )
    }
    return `The control socket ${this.path} cannot be made (${this.code}): ${explain(this.path, this.code)}`
  }
}
