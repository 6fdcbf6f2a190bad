/**
 * Resolves after a time, or as soon as one of the signals aborts. It leaves no timer and no listener. Times
 * that are longer than a timer can wait end early.
 */
export function pause(ms: number, ...signals: readonly (AbortSignal | undefined)[]): Promise<void> {
  if (signals.some((signal) => signal?.aborted)) return Promise.resolve()
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      for (const signal of signals) signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, Math.min(ms, TIMER_MS_MAX))
    for (const signal of signals) signal?.addEventListener('abort', end)
  })
}

/** `setTimeout` takes 32 bits. */
const TIMER_MS_MAX = 2_147_483_647
