/**
 * Ends this process when the process that started it is gone, however that died.
 *
 * The parent keeps an IPC channel open on which nothing is sent. The system closes the channel when the
 * parent ends. This process then gets the SIGTERM that its parent would have sent, so it drains as usual.
 * Without a channel this does nothing.
 */
export function stopWithParent(): void {
  if (process.channel === undefined) return
  process.on('disconnect', () => {
    setTimeout(() => process.exit(1), DRAIN_MS_MAX).unref()
    process.kill(process.pid, 'SIGTERM')
  })
  // A listener must not be what keeps the process running.
  process.channel.unref()
}

/** Longer than the longest operation (60 s). No parent is left to end a process that hangs. */
const DRAIN_MS_MAX = 65_000
