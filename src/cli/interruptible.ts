import { EXIT } from './exit-codes.ts'

/** SIGINT is Ctrl-C; SIGHUP comes when a terminal is closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Runs a command that can be interrupted. `run` resolves with the exit code of this process. The first signal
 * of the system aborts `signal`; a second one ends the process at once. If `run` is aborted before it has
 * anything to report, it may reject with the reason of `signal`.
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
