/**
 * Reads which groups have changed since a snapshot of the database.
 *
 * A row has the transaction that has changed it last, and a snapshot says of each transaction whether it was
 * over. So a transaction that was under way when the changes before it were read is not missed, whenever it
 * ends. A place is given out after a commit that came after its snapshot is on the standbys: so after a crash
 * no other transaction gets a number that the snapshot has counted already.
 */

import type { Group } from '../../group/group.ts'
import { decodeGroup } from '../../group/group-codec.ts'
import type { Session, Statement } from './session.ts'

const SNAPSHOT: Statement = {
  name: 'cohort_snapshot',
  text: 'select pg_current_snapshot()::text as snapshot',
}

/** $1: the snapshot; $2, $3: the transaction and the key of a row that comes before; $4: how many. */
const CHANGED: Statement = {
  name: 'cohort_changed',
  text: `
    select key, value, changed_xid::text as xid from cohort.register
    where (changed_xid, key) > ($2::text::xid8, $3)
      and changed_xid >= pg_snapshot_xmin($1::text::pg_snapshot)
      and changed_xid < pg_snapshot_xmax(pg_current_snapshot())
      and not pg_visible_in_snapshot(changed_xid, $1::text::pg_snapshot)
      and key >= 'group/' and key < 'group0'
    order by changed_xid, key limit $4`,
}

/** Whether no tombstone is removed that the snapshot has not. $1: the snapshot. */
const IS_WHOLE: Statement = {
  name: 'cohort_is_whole',
  text: 'select through < pg_snapshot_xmin($1::text::pg_snapshot) as is_whole from cohort.swept',
}

const ROWS_MAX = 256
const PREFIX_LENGTH = 'group/'.length

/** A group as it was read. `group` is `unreadable` if the bytes are no group. */
export type ChangedGroup = Readonly<{ groupId: string; group: Group | undefined | 'unreadable' }>

export async function snapshotOf(session: Session, limitMs: number): Promise<string> {
  const { rows } = await session.run(SNAPSHOT, [], limitMs)
  return (rows[0] as unknown as { snapshot: string }).snapshot
}

/**
 * Gives the groups that have changed since a snapshot, a few at a time, each as it is when it is read. All
 * that is given out is on the standbys.
 *
 * @returns whether nothing was missed
 */
export async function readChanged(
  session: Session,
  { snapshot, limitMs }: Readonly<{ snapshot: string; limitMs: number }>,
  give: (groups: readonly ChangedGroup[]) => Promise<void> | void,
): Promise<boolean> {
  for (let last = { xid: '0', key: '' }; ; ) {
    const { rows } = await session.run(CHANGED, [snapshot, last.xid, last.key, ROWS_MAX], limitMs)
    const found = rows as unknown as readonly Readonly<{
      key: string
      value: Uint8Array | null
      xid: string
    }>[]
    if (found.length > 0) {
      await session.confirm(limitMs)
      await give(
        found.map(({ key, value }) => ({ groupId: key.slice(PREFIX_LENGTH), group: groupOf(value) })),
      )
    }
    if (found.length < ROWS_MAX) break
    last = found.at(-1)!
  }
  const { rows } = await session.run(IS_WHOLE, [snapshot], limitMs)
  return (rows[0] as unknown as { is_whole: boolean }).is_whole
}

function groupOf(value: Uint8Array | null): ChangedGroup['group'] {
  if (value === null) return undefined
  try {
    return decodeGroup(value)
  } catch {
    return 'unreadable'
  }
}
