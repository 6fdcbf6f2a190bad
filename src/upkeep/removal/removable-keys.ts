import type { Clock } from '../../process/clock.ts'
import type { Holding } from '../../register/messages.ts'
import { compareKeys, successorKey } from '../../rpc/key-order.ts'
import { firstPage, horizonOf } from '../../scan/first-pages.ts'
import type { RemovalMember } from './removal-target.ts'

/**
 * A key that has no value on some member. `undefined`: the member did not list the key, because it has no
 * record of it, or a record with a value.
 */
export type RemovableKey = Readonly<{ key: string; records: readonly (Holding | undefined)[] }>

/** Removable keys, in key order, and where to continue. `undefined`: there are no more. */
export type RemovablePage = Readonly<{ keys: readonly RemovableKey[]; nextStart: string | undefined }>

type Scanned = Pick<RemovalMember, 'recipient' | 'transport'>

/**
 * The next keys of a range that have no value on some member, from one page of every member. Rejects when a
 * member does not answer within `timeoutMs`.
 */
export async function nextRemovable(
  members: readonly Scanned[],
  range: Readonly<{ start: string; end: string }>,
  clock: Clock,
  timeoutMs: number,
): Promise<RemovablePage> {
  const abort = new AbortController()
  const cancel = clock.after(timeoutMs, () => abort.abort(new Error('a node does not answer a scan')))
  const scanned = { ...range, omitValues: true, removableOnly: true }
  const asked = members.map((member) => firstPage(member, scanned, abort.signal))
  const pages = await Promise.all(asked).finally(() => {
    cancel()
    // If one scan fails, the others end too.
    abort.abort()
  })
  const horizon = horizonOf(pages)
  if (horizon === undefined) return { keys: [], nextStart: undefined }
  const records = new Map<string, (Holding | undefined)[]>()
  pages.forEach((page, member) => {
    for (const { key, record } of page) {
      if (compareKeys(key, horizon) > 0) break
      const known = records.get(key) ?? Array<Holding | undefined>(members.length).fill(undefined)
      known[member] = record
      records.set(key, known)
    }
  })
  const keys = [...records].map(([key, ofKey]) => ({ key, records: ofKey }))
  return { keys, nextStart: successorKey(horizon) }
}
