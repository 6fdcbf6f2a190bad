import type { Clock } from '../../process/clock.ts'
import type { Holding } from '../../register/messages.ts'
import { successorKey } from '../../rpc/key-order.ts'
import { collectPart, horizonOf, upTo } from '../../scan/node-part.ts'
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
 * The next keys of a range that have no value on some member, from the first records of every member. Rejects
 * when a member does not answer in time.
 */
export async function nextRemovable(
  members: readonly Scanned[],
  range: Readonly<{ start: string; end: string }>,
  clock: Clock,
  { pageRecordsMax, pageTimeoutMs }: Readonly<{ pageRecordsMax: number; pageTimeoutMs: number }>,
): Promise<RemovablePage> {
  const abort = new AbortController()
  const cancel = clock.after(pageTimeoutMs, () => abort.abort(new Error('a node does not answer a scan')))
  const scanned = { ...range, omitValues: true, removableOnly: true, limit: pageRecordsMax }
  const asked = members.map((member) => collectPart(member, scanned, abort.signal))
  const parts = await Promise.all(asked).finally(() => {
    cancel()
    // If one scan fails, the others end too.
    abort.abort()
  })
  const horizon = horizonOf(parts)
  const records = new Map<string, (Holding | undefined)[]>()
  parts.forEach(({ entries }, member) => {
    for (const { key, record } of upTo(entries, horizon)) {
      const known = records.get(key) ?? Array<Holding | undefined>(members.length).fill(undefined)
      known[member] = record
      records.set(key, known)
    }
  })
  const keys = [...records].map(([key, ofKey]) => ({ key, records: ofKey }))
  return { keys, nextStart: horizon === undefined ? undefined : successorKey(horizon) }
}
