import { createHmac } from "node:crypto"

/**
 * The headers that prove to a receiver who sent a body, and when, as standard-webhooks 1.0 has them
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md). The id is of ASCII.
 */
export const signatureHeaders = (
  { id, secret }: { readonly id: string; readonly secret: string },
  body: string,
  nowMs: number
): Readonly<Record<string, string>> => {
  const timestamp = String(Math.floor(nowMs / 1000))
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64")
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")
  return { "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` }
}
