import { systemClock } from '../process/clock.ts'

/** How long requests that are under way are waited for after an interrupt, in milliseconds. */
const PATIENCE_MS = 1_000

/**
 * Resolves when `work` ends, or a second after `signal` is aborted. Rejects when `work` does before that.
 * Nothing of the wait is left afterwards: no timer keeps the process running.
 */
export function untilInterrupted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let cancel = (): void => undefined
    const onAbort = (): void => {
      cancel = systemClock.after(PATIENCE_MS, resolve)
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort)
      cancel()
    })
  })
}
