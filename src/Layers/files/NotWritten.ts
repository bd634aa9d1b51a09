import { dirname } from "node:path"
import { errorCode, messageOf } from "./SystemError.ts"

/** Why a file was not written and what to do, by the system's error; continues a sentence that begins with its path. */
export const whyNotWritten = (path: string, cause: unknown, folder = dirname(path)): string => {
  const because = (reason: string) => `was not written: ${reason}`
  switch (errorCode(cause)) {
    case "EACCES":
    case "EPERM":
      return because(`permission denied. Make ${path} and its folder writable for you`)
    case "EROFS":
      return because("it is on a read-only file system. Make that writable, or use a file elsewhere")
    case "ENOSPC":
    case "EDQUOT":
      return because("the disk is full. Free some space there")
    case "ENOENT":
      return because(`there is no folder ${folder}. Make it first`)
    case "ENOTDIR":
      return because("a part of the path is a file, not a folder. Choose another path")
    case "EISDIR":
      return because(`${path} is a folder, not a file. Rename it`)
    case "ELOOP":
      return because("its symbolic links lead in a circle. Remove one of them")
    case "ENAMETOOLONG":
      return because("its name is too long. Choose a shorter one")
    default:
      return because(messageOf(cause))
  }
}
