import type * as Effect from "effect/Effect"
import { inPlainCode } from "../concurrency/PlainCode.ts"
import { type SmallFile, smallFileAt, type TextFile, textFileAt, type UnreadableFile } from "./SmallFile.ts"

/** Reads a small file, as `smallFileAt` does. */
export const readSmallFile = (path: string, asker = path): Effect.Effect<SmallFile, UnreadableFile> =>
  inPlainCode((timer) => smallFileAt(timer, path, asker))

/** Reads a small UTF-8 file, as `textFileAt` does. */
export const readTextFile = (
  path: string,
  as: "text" | "everyByte" = "text",
  asker = path
): Effect.Effect<TextFile, UnreadableFile> => inPlainCode((timer) => textFileAt(timer, path, as, asker))
