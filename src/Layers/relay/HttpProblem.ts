import type * as HttpClientError from "@effect/platform/HttpClientError"
import { errorCode } from "../files/SystemError.ts"

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refuses connections: nothing listens there",
  ECONNRESET: "has closed the connection without an answer",
  EPIPE: "has closed the connection without an answer",
  ENOTFOUND: "has a name that is not known",
  EAI_AGAIN: "has a name that cannot be looked up now: there is no network, or no name server",
  ENETUNREACH: "cannot be reached: there is no network",
  EHOSTUNREACH: "cannot be reached",
  ETIMEDOUT: "cannot be reached",
  CERT_HAS_EXPIRED: "has a certificate that has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "has a self-signed certificate (NODE_EXTRA_CA_CERTS names one to be trusted)",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "has a certificate that cannot be verified (NODE_EXTRA_CA_CERTS names one to be trusted)"
}

/** Why a request to `whom` got no answer, as a clause. It has nothing of the message, which may hold a secret URL. */
export const requestProblem =
  (whom: string) =>
  ({ cause, reason }: HttpClientError.HttpClientError): string => {
    const code = errorCode(cause)
    const known = words[code ?? ""]
    return known === undefined ? `the request to ${whom} failed (${code ?? reason})` : `${whom} ${known}`
  }
