/** Time, as a process of ours sees it. The simulator has one of its own. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  nowMs(): number
  /**
   * Runs `task` once, `delayMs` or more from now. The returned function cancels it; it may be called at any
   * time.
   */
  after(delayMs: number, task: () => void): () => void
  /** Runs `task` at the end of this turn, after the input that has already arrived. */
  defer(task: () => void): void
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs)
    return () => clearTimeout(timer)
  },
  defer: (task) => {
    setImmediate(task)
  },
}

/**
 * Resolves when `ms` milliseconds have passed by `clock`, or as soon as `signal` is aborted. Never rejects:
 * whoever passes a signal looks at it afterwards.
 */
export function sleep(ms: number, clock: Pick<Clock, 'after'>, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = (): void => {
      cancel()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const cancel = clock.after(ms, end)
    signal?.addEventListener('abort', end)
  })
}
