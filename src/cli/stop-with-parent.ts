/**
 * Ends this process when the process that started it is gone, however that died.
 *
 * The parent keeps an IPC channel open that nothing is said on; the system closes it with the parent. The
 * process then gets the SIGTERM its parent would have sent, so it drains as usual. Without a channel this
 * does nothing.
 */
export function stopWithParent(): void {
  if (process.channel === undefined) return
  // The parent took the other end of our output with it.
  process.stdout.on('error', () => undefined)
  process.stderr.on('error', () => undefined)
  process.on('disconnect', () => {
    setTimeout(() => process.exit(1), DRAIN_MS_MAX).unref()
    process.kill(process.pid, 'SIGTERM')
  })
  // A listener must not be what keeps the process running.
  process.channel.unref()
}

/** Above the longest operation (60 s): nobody is left to end a process that hangs. */
const DRAIN_MS_MAX = 65_000
