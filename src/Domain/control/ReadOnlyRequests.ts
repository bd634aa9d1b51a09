import { jsonText, printable } from "../text/Printable.ts"
import { listed } from "../text/TextLayout.ts"
import type { ControlRequest } from "./ControlProtocol.ts"
import type { ErrorCode } from "./ErrorCode.ts"

/**
 * Whether `dial-stdio --read-only` lets a request through. It changes nothing, and shows nothing of the settings file, in
 * which secrets may stand.
 */
const isForReaders: Readonly<Record<ControlRequest["type"], boolean>> = {
  Status: true,
  GetMetrics: true,
  StartWorker: false,
  StopWorker: false,
  RestartWorker: false,
  ResetBudget: false,
  Budget: true,
  Shutdown: false,
  Projects: true,
  Metrics: true,
  Hogs: true,
  History: true,
  Samples: true,
  SelectProject: false,
  RunProject: false,
  UseProject: false,
  ReloadConfig: false,
  GetConfig: false,
  SetConfig: false,
  Subscribe: true
}

/** The types of the requests that a reader may send. */
export const readersRequests: ReadonlyArray<string> = Object.entries(isForReaders)
  .filter(([, isAllowed]) => isAllowed)
  .map(([type]) => type)

/** Why a request is not passed on. */
interface Refusal {
  readonly message: string
  readonly code: ErrorCode
}

/** Characters of the input that an error quotes. */
const excerptLength = 60

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // No JSON.
    return undefined
  }
}

/** Why a reader may not send this text of one JSON object; undefined when it may. */
export const readersRefusal = (text: string): Refusal | undefined => {
  const value = parsed(text)
  if (typeof value !== "object" || value === null) {
    return {
      message: `The request is not valid JSON: ${printable(text, excerptLength)}`,
      code: "bad_request"
    }
  }
  const type: unknown = Object.hasOwn(value, "type") && "type" in value ? value.type : undefined
  if (typeof type === "string" && readersRequests.includes(type)) return undefined
  const expected = `This stream only reads: it takes ${listed(readersRequests, "or")}.`
  if (typeof type === "string" && Object.hasOwn(isForReaders, type)) {
    return { message: `The request ${type} was refused. ${expected}`, code: "access_denied" }
  }
  const given =
    type === undefined ? "The request has no" : `${printable(jsonText(type), excerptLength)} is no`
  return { message: `${given} "type" that is known. ${expected}`, code: "bad_request" }
}

/** The answer to a request that is not passed on, with its newline. */
export const refusalLine = ({ code, message }: Refusal): string =>
  `${jsonText({ success: false, message, code })}\n`
