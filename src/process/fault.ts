/** What can go wrong around a process. A code is never reused with another meaning. */
export type FaultCode =
  | 'address_in_use'
  | 'address_unusable'
  | 'data_directory_in_use'
  | 'not_a_member'
  | 'data_directory_unusable'
  | 'schema_too_new'
  | 'store_full'
  | 'store_corrupt'
  | 'store_failed'

/**
 * A fault of the surroundings: disk, socket, configuration. Its message is one or two sentences for the
 * operator: what happened, and what to do. Thrown where it is found, caught once, at the edge of the process.
 */
export class FaultError extends Error {
  override name = 'FaultError'
  readonly code: FaultCode

  /** `cause` is what the fault was seen by; `undefined` when this program itself found it. */
  constructor(code: FaultCode, message: string, cause: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/**
 * Why a process cannot listen on `address` (host:port). Knows Node's errors and gRPC's, which only have a
 * text.
 */
export function listenFault(address: string, cause: Error & { code?: string }): FaultError {
  if (cause.code === 'EADDRINUSE' || cause.message.includes('EADDRINUSE')) {
    const message = `${address} is in use: stop what listens there, or choose another port`
    return new FaultError('address_in_use', message, cause)
  }
  return new FaultError('address_unusable', `cannot listen on ${address} (${cause.message})`, cause)
}
