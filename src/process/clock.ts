/** The time source of a process. The simulator has its own. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  nowMs(): number
  /**
   * Runs `task` once, at least `delayMs` from now. The returned function cancels the task, and may be called
   * at any time.
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
 * Resolves when `ms` milliseconds have passed by `clock`, or as soon as `signal` aborts. It never rejects: a
 * caller that passes a signal must check it afterwards.
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
