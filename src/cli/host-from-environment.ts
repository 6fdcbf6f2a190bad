import type { Environment } from '../config/environment.ts'
import { type Flags, isFromEnvironment } from '../config/lookup.ts'
import { FaultError } from '../process/fault.ts'

/**
 * Runs a process that listens. When it cannot listen on a HOST that the environment gave it, the error says
 * so: other programs set that variable too (conda, csh), and whoever started the process may not know of it.
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
