import type { Environment } from '../config/environment.ts'
import { type Flags, isFromEnvironment } from '../config/lookup.ts'
import { FaultError } from '../process/fault.ts'

/**
 * Runs a process that listens. If it cannot listen on the HOST of the environment, the error says where that
 * value comes from: other programs (conda, csh) set the variable HOST too, often without the user's
 * knowledge.
 */
export async function explainingHost<T>(
  flags: Flags,
  environment: Environment,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const isAboutHost = error instanceof FaultError && error.code === 'address_unusable'
    if (!isAboutHost || !isFromEnvironment('HOST', flags, environment)) throw error
    throw new FaultError(
      error.code,
      `${error.message}. HOST comes from the environment, where other programs set it too: unset it, or name the ` +
        'address to listen on with --host',
      error,
    )
  }
}
