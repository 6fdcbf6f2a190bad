import type { Clock } from '../../process/clock.ts'
import type { KeyRecord } from '../../register/messages.ts'
import type { ScanEntry } from '../../rpc/messages.ts'
import { compareKeys, successorKey } from '../../scan/key-scan.ts'
import type { RemovalMember } from './removal-target.ts'

/** A key without a value on some member. A member that does not list it has no record, or one with a value. */
export type RemovableKey = Readonly<{ key: string; records: readonly (KeyRecord | undefined)[] }>

/** Some of them, in key order, and where to go on; `undefined`: there are no more. */
export type RemovablePage = Readonly<{ keys: readonly RemovableKey[]; nextStart: string | undefined }>

type Scanned = Pick<RemovalMember, 'recipient' | 'transport'>

/**
 * The next keys of a range that hold no value, out of a page of every member. Rejects when one of them does not answer
 * within `timeoutMs`.
 */
export async function nextRemovable(
  members: readonly Scanned[],
  range: Readonly<{ start: string; end: string }>,
  clock: Clock,
  timeoutMs: number,
): Promise<RemovablePage> {
  const pages = await Promise.all(members.map((member) => firstPage(member, range, clock, timeoutMs)))
  // Beyond the end of the shortest page, a member may list keys that it has not shown yet. An empty page has no end.
  const ends = pages.flatMap((page) => page.at(-1)?.key ?? []).sort(compareKeys)
  const horizon = ends[0]
  if (horizon === undefined) return { keys: [], nextStart: undefined }
  const records = new Map<string, (KeyRecord | undefined)[]>()
  pages.forEach((page, member) => {
    for (const { key, record } of page) {
      if (compareKeys(key, horizon) > 0) break
      const known = records.get(key) ?? Array<KeyRecord | undefined>(members.length).fill(undefined)
      known[member] = record
      records.set(key, known)
    }
  })
  const keys = [...records].map(([key, ofKey]) => ({ key, records: ofKey }))
  return { keys, nextStart: successorKey(horizon) }
}

async function firstPage(
  { recipient, transport }: Scanned,
  range: Readonly<{ start: string; end: string }>,
  clock: Clock,
  timeoutMs: number,
): Promise<readonly ScanEntry[]> {
  const whole = transport.scan({ ...range, omitValues: true, removableOnly: true, recipient })
  const pages = whole[Symbol.asyncIterator]()
  const late = Promise.withResolvers<never>()
  const cancel = clock.after(timeoutMs, () => late.reject(new Error('a node does not answer a scan')))
  try {
    const next = pages.next()
    // Whoever has stopped waiting need not hear how it ended.
    next.catch(() => undefined)
    const { value, done } = await Promise.race([next, late.promise])
    return done === true ? [] : value
  } finally {
    cancel()
    // Ends the scan at the node. While it is silent this never returns.
    pages.return?.(undefined)?.catch(() => undefined)
  }
}
