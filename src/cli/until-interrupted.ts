import { systemClock } from '../process/clock.ts'

/** How long to wait, after an interrupt, for requests that are under way, in milliseconds. */
const PATIENCE_MS = 1_000

/**
 * Resolves when `work` ends, or a second after `signal` aborts. Rejects if `work` rejects before that. It
 * leaves no timer that would keep the process running.
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
