/** Finds the keys in which nodes differ, by merging what they hold in some leaves. */
import { type Ballot, compareBallots } from '../../register/ballot.ts'
import type { Record } from '../../register/messages.ts'
import { sameWriteId } from '../../register/state.ts'
import type { ScanEntry } from '../../rpc/messages.ts'
import type { Clock } from '../clock.ts'
import { type MergedEntry, mergeScans } from '../merge-scans.ts'
import type { RepairMember, RepairTarget } from './repair-target.ts'

/** A key of which members hold different things, as far as the scans showed: time goes on. */
export type DifferingKey = MergedEntry &
  Readonly<{
    /** The members that lack what others have accepted. */
    lagging: readonly RepairMember[]
  }>

/** How often it is looked whether a node that sends nothing is still there. */
const WATCH_MS = 500

/**
 * Scans the leaves on all members at once, without values, and yields the keys that differ, some at a time, in their
 * order; records by the index of the member. Throws when one of the nodes is lost.
 */
export async function* differingKeys(
  { clusterId, epoch }: Pick<RepairTarget, 'clusterId' | 'epoch'>,
  members: readonly RepairMember[],
  leaves: ReadonlySet<number>,
  clock: Clock,
): AsyncGenerator<readonly DifferingKey[]> {
  const scans = members.map((member, node) => {
    const recipient = { clusterId, epoch, nodeId: member.nodeId }
    const pages = member.transport.scan({ start: '', end: '', omitValues: true, leaves, recipient })
    return { node, pages: whileReachable(member, pages, clock) }
  })
  for await (const page of mergeScans(scans, members.length)) {
    const found = page.flatMap((entry) => {
      const lagging = laggingOf(entry, members)
      return lagging.length === 0 ? [] : [{ ...entry, lagging }]
    })
    if (found.length > 0) yield found
  }
}

function laggingOf({ records }: MergedEntry, members: readonly RepairMember[]): readonly RepairMember[] {
  const newest = newestOf(records)
  return newest === undefined ? [] : members.filter((_, index) => !hasTaken(records[index], newest))
}

type Accepted = Record & Readonly<{ accepted: Ballot }>

/** Of the records at the highest ballot one that is marked as chosen, else the first. */
function newestOf(records: MergedEntry['records']): Accepted | undefined {
  let newest: Accepted | undefined
  for (const record of records) {
    if (record?.accepted === undefined) continue
    const order = newest === undefined ? 1 : compareBallots(record.accepted, newest.accepted)
    if (order > 0 || (order === 0 && record.chosen && !newest!.chosen)) newest = record as Accepted
  }
  return newest
}

function hasTaken(record: Record | undefined, newest: Accepted): boolean {
  return (
    record?.accepted !== undefined &&
    compareBallots(record.accepted, newest.accepted) === 0 &&
    sameWriteId(record.state.writeId, newest.state.writeId)
  )
}

/** The pages of a node's scan. A node that is stopped sends none, and no end: then its link says that it is gone. */
function whileReachable(
  { nodeId, link }: RepairMember,
  scan: AsyncIterable<readonly ScanEntry[]>,
  clock: Clock,
): AsyncIterable<readonly ScanEntry[]> {
  const pages = scan[Symbol.asyncIterator]()
  const next = (): Promise<IteratorResult<readonly ScanEntry[]>> =>
    new Promise((resolve, reject) => {
      let cancel = (): void => {}
      const watch = (): void => {
        cancel = clock.after(WATCH_MS, () => {
          if (link.isReachable) watch()
          else reject(new Error(`node ${nodeId} was lost while it was scanned`))
        })
      }
      watch()
      pages
        .next()
        .finally(() => cancel())
        .then(resolve, reject)
    })
  const end = async (): Promise<IteratorResult<readonly ScanEntry[]>> => {
    await pages.return?.()
    return { done: true, value: undefined }
  }
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) }
}
