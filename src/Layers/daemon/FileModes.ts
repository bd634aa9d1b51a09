/** The variable by which a program started in the background, and the start of a worker, know the caller's umask. */
export const umaskVariable = "AUTOPILOTD_UMASK"

const ownersBits = 0o700

/**
 * Gives each file and folder that this process creates the owner's part of its mode: with a umask such as 0277 the daemon
 * could not write into its own folders. The worker gets the caller's umask back.
 */
export const keepOwnersModes = (): void => {
  const umask = process.umask(0o077)
  process.umask(umask & ~ownersBits)
  if ((umask & ownersBits) !== 0) process.env[umaskVariable] = umask.toString(8)
}
