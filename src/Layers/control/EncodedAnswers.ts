import type { AnswerData, ControlResponse } from "../../Domain/control/ControlProtocol.ts"
import { encodeResponse } from "../../Domain/control/ControlWire.ts"

/**
 * Encodes responses as `encodeResponse` does, but data that is the same object as before only once: a report stays the same
 * object until the state has changed.
 */
export const encodingOnce = (): ((response: ControlResponse) => Uint8Array) => {
  const known = new WeakMap<AnswerData, { readonly message: string; readonly bytes: Uint8Array }>()
  return (response) => {
    const { code, data, message, success } = response
    if (!success || code !== undefined || data === undefined) return Buffer.from(encodeResponse(response))
    const before = known.get(data)
    if (before?.message === message) return before.bytes
    const bytes = Buffer.from(encodeResponse(response))
    known.set(data, { message, bytes })
    return bytes
  }
}
