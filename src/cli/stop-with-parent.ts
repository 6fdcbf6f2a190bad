/**
 * Ends this process when the process that started it is gone, for whatever reason.
 *
 * The parent keeps an IPC channel open, on which nothing is sent. The system closes the channel when the
 * parent ends. This process then sends itself a SIGTERM, as its parent would have done, so it drains as
 * usual. Without a channel this function does nothing.
 *
 * @param drainMs how long its drain may take, in milliseconds
 */
export function stopWithParent(drainMs = 0): void {
  if (process.channel === undefined) return
  process.on('disconnect', () => {
    setTimeout(() => process.exit(1), stopLimitMs(drainMs)).unref()
    process.kill(process.pid, 'SIGTERM')
  })
  // The listener alone must not keep the process running.
  process.channel.unref()
}

/** After how long a process that has lost its parent ends by force, in milliseconds. */
export function stopLimitMs(drainMs: number): number {
  return Math.max(STOP_MS_MIN, drainMs + AFTER_DRAIN_MS)
}

/**
 * Longer than the longest operation (60 s). There is no parent any more that could end a process that hangs.
 */
const STOP_MS_MIN = 65_000
/** How long a process may take to end when its drain is over. */
const AFTER_DRAIN_MS = 5_000
