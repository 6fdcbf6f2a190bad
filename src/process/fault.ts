/** The faults that the surroundings of a process can have. A code never gets another meaning. */
export type FaultCode =
  | 'address_in_use'
  | 'address_unusable'
  | 'audit_log_unusable'
  | 'certificates_unusable'
  | 'data_directory_in_use'
  | 'not_a_member'
  | 'wrong_cluster'
  | 'data_directory_unusable'
  | 'database_unusable'
  | 'schema_too_new'
  | 'store_full'
  | 'store_corrupt'
  | 'store_failed'

/**
 * A fault of the surroundings: disk, socket, configuration. Its message tells the operator in one or two
 * sentences what happened and what to do. It is thrown where it is found, and caught only where the process
 * starts.
 */
export class FaultError extends Error {
  override name = 'FaultError'
  readonly code: FaultCode

  /** `cause` is the error that showed the fault. `undefined`: this program found the fault itself. */
  constructor(code: FaultCode, message: string, cause: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/**
 * Why a process cannot listen on `address` (host:port). It reads the errors of Node.js, and those of gRPC,
 * which have only a text.
 */
export function listenFault(address: string, cause: Error & { code?: string }): FaultError {
  if (cause.code === 'EADDRINUSE' || cause.message.includes('EADDRINUSE')) {
    const message = `${address} is in use: stop what listens there, or choose another port`
    return new FaultError('address_in_use', message, cause)
  }
  return new FaultError('address_unusable', `cannot listen on ${address} (${cause.message})`, cause)
}
