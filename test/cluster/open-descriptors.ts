/** What a process has open, as the system counts it. */
import { readdir, readlink } from 'node:fs/promises'
import { until } from './waiting.ts'

/** The time after which clients and servers have closed their idle connections. */
const CLOSED_MS = 15_000

/** By kind (socket, pipe, file and so on): how many file descriptors the process has open. Linux only. */
export async function openDescriptors(pid: number): Promise<ReadonlyMap<string, number>> {
  const directory = `/proc/${pid}/fd`
  const counts = new Map<string, number>()
  for (const name of await readdir(directory)) {
    // A descriptor that was closed meanwhile is not counted.
    const target = await readlink(`${directory}/${name}`).catch(() => undefined)
    if (target === undefined) continue
    const kind = target.startsWith('/') ? 'file' : target.replace(/:.*/, '')
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return counts
}

/** Waits until a process has no more open, of each kind, than it had `before`. */
export async function untilNoMoreThan(before: ReadonlyMap<string, number>, pid: number): Promise<void> {
  let now: ReadonlyMap<string, number> = new Map()
  const isSo = async () => {
    now = await openDescriptors(pid)
    return [...now].every(([kind, count]) => count <= (before.get(kind) ?? 0))
  }
  const text = (counts: ReadonlyMap<string, number>) => JSON.stringify(Object.fromEntries(counts))
  const explain = () => `before: ${text(before)}, now: ${text(now)}`
  await until(`process ${pid} has no more open than before`, CLOSED_MS, isSo, explain)
}
