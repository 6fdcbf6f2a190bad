import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

/**
 * For tests: what this process has open, by kind: timers, sockets, servers and so on, and all file
 * descriptors.
 */
export type OpenResources = Readonly<Record<string, number>>

/** Counts what this process has open now. File descriptors are counted on Linux alone. */
export function openResources(): OpenResources {
  const counts: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  if (process.platform === 'linux') counts.fileDescriptors = readdirSync('/proc/self/fd').length
  return counts
}

/**
 * Runs `body`, and asserts that afterwards no kind of resource is open more often than before. What takes a
 * moment to close has `patienceMs` for it.
 */
export async function assertNothingLeft(body: () => void | Promise<void>, patienceMs = 2_000): Promise<void> {
  const before = openResources()
  await body()
  const untilMs = performance.now() + patienceMs
  for (;;) {
    const left = leftOpen(before, openResources())
    if (left.length === 0) return
    assert.ok(performance.now() < untilMs, `left open: ${left.join(', ')}`)
    await wait(20)
  }
}

function leftOpen(before: OpenResources, after: OpenResources): string[] {
  return Object.entries(after)
    .filter(([kind, count]) => count > (before[kind] ?? 0))
    .map(([kind, count]) => `${count} ${kind}, before ${before[kind] ?? 0}`)
}
