import { EXIT } from './exit-codes.ts'

/** Ctrl-C, a request to stop, and a terminal that was closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Runs a command whose work can be interrupted, and sets the exit code of this process to what it resolves
 * with. The first signal aborts `signal`; a second one ends the process at once. A run that is aborted before
 * it has anything to report may reject with the reason of `signal`.
 */
export async function runInterruptibly(run: (signal: AbortSignal) => Promise<number>): Promise<void> {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted)
    controller.abort()
  }
  for (const name of SIGNALS) process.on(name, onSignal)
  try {
    process.exitCode = await run(controller.signal)
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error
    process.exitCode = EXIT.interrupted
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal)
  }
}
