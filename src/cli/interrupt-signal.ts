import { EXIT } from './exit-codes.ts'

/** Aborted by the first Ctrl-C or SIGTERM; a second one ends the process at once. `forget` ends this. */
export function interruptSignal(): Readonly<{ signal: AbortSignal; forget: () => void }> {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted)
    controller.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    forget: () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
