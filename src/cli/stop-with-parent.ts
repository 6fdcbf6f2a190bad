/**
 * Ends this process when the process that started it is gone, for whatever reason.
 *
 * The parent keeps an IPC channel open, on which nothing is sent. The system closes the channel when the
 * parent ends. This process then sends itself a SIGTERM, as its parent would have done, so it drains as
 * usual. Without a channel this function does nothing.
 */
export function stopWithParent(): void {
  if (process.channel === undefined) return
  process.on('disconnect', () => {
    setTimeout(() => process.exit(1), DRAIN_MS_MAX).unref()
    process.kill(process.pid, 'SIGTERM')
  })
  // The listener alone must not keep the process running.
  process.channel.unref()
}

/**
 * Longer than the longest operation (60 s). There is no parent any more that could end a process that hangs.
 */
const DRAIN_MS_MAX = 65_000
