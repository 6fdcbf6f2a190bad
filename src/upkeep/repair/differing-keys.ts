/** Finds the keys that differ between nodes, by merging scans of some leaves. */
import type { Clock } from '../../process/clock.ts'
import { type Ballot, compareBallots } from '../../register/ballot.ts'
import { wholeRecords } from '../../register/damage.ts'
import type { Records } from '../../register/known-chosen.ts'
import type { KeyRecord } from '../../register/messages.ts'
import { sameWriteId } from '../../register/state.ts'
import type { HeldEntry } from '../../rpc/messages.ts'
import { type MergedEntry, mergeScans } from '../../scan/merge-scans.ts'
import type { RepairMember, RepairTarget } from './repair-target.ts'
import { shuffle } from './shuffle.ts'

/** A key for which members held different records when they were scanned. */
export type DifferingKey = MergedEntry &
  Readonly<{
    /** The members that lack what the others have accepted. */
    lagging: readonly RepairMember[]
  }>

/** While a node sends no page, its link is checked this often. */
const WATCH_MS = 500

/** What to compare: some leaves of the digest, on these members. */
export type Comparison = Pick<RepairTarget, 'clusterId' | 'epoch'> &
  Readonly<{ members: readonly RepairMember[]; leaves: ReadonlySet<number> }>

/**
 * Scans the leaves on all members at the same time, without values, and yields the keys that differ, in
 * pages: first the keys from `start` on, then those before it. Records are at the index of the member. Throws
 * when a node is lost.
 */
export async function* differingKeys(
  comparison: Comparison,
  start: string,
  clock: Clock,
): AsyncGenerator<readonly DifferingKey[]> {
  const { members } = comparison
  const ranges = [{ start, end: '' }, ...(start === '' ? [] : [{ start: '', end: start }])]
  for (const range of ranges) {
    const scans = members.map((member, node) => ({ node, pages: scan(comparison, member, range, clock) }))
    for await (const page of mergeScans(scans, members.length)) {
      const found = page.flatMap((entry) => {
        const lagging = laggingOf(entry, members)
        return lagging.length === 0 ? [] : [{ ...entry, lagging }]
      })
      if (found.length > 0) yield found
    }
  }
}

/**
 * Draws the key to start from: a key of a random leaf, or `''` when no member holds a key of that leaf.
 * Connectors that start from different keys do not repair the same keys. Throws when a node is lost.
 *
 * @param random uniform in [0, 1)
 */
export async function drawStart(comparison: Comparison, random: () => number, clock: Clock): Promise<string> {
  const leaf = pick([...comparison.leaves], random)
  if (leaf === undefined) return ''
  const one = { ...comparison, leaves: new Set([leaf]) }
  for (const member of shuffle(comparison.members, random)) {
    const keys: string[] = []
    for await (const page of scan(one, member, { start: '', end: '' }, clock))
      keys.push(...page.map(({ key }) => key))
    const key = pick(keys, random)
    if (key !== undefined) return key
  }
  return ''
}

function pick<T>(items: readonly T[], random: () => number): T | undefined {
  return items[Math.floor(random() * items.length)]
}

function scan(
  { clusterId, epoch, leaves }: Comparison,
  member: RepairMember,
  range: Readonly<{ start: string; end: string }>,
  clock: Clock,
): AsyncIterable<readonly HeldEntry[]> {
  const recipient = { clusterId, epoch, nodeId: member.nodeId }
  return whileReachable(
    member,
    member.transport.scan({ ...range, omitValues: true, leaves, recipient }),
    clock,
  )
}

/** A member whose record is damaged does not count: it is healed, and not repaired. */
function laggingOf({ records }: MergedEntry, members: readonly RepairMember[]): readonly RepairMember[] {
  const whole = wholeRecords(records)
  const newest = newestOf(whole)
  if (newest === undefined) return []
  return members.filter((_, index) => whole[index] !== undefined && !hasTaken(whole[index], newest))
}

type Accepted = KeyRecord & Readonly<{ accepted: Ballot }>

/** Among the records at the highest ballot: one that is marked as chosen, else the first one. */
function newestOf(records: Records): Accepted | undefined {
  let newest: Accepted | undefined
  for (const record of records) {
    if (record?.accepted === undefined) continue
    const order = newest === undefined ? 1 : compareBallots(record.accepted, newest.accepted)
    if (order > 0 || (order === 0 && record.chosen && !newest!.chosen)) newest = record as Accepted
  }
  return newest
}

function hasTaken(record: KeyRecord | undefined, newest: Accepted): boolean {
  return (
    record?.accepted !== undefined &&
    compareBallots(record.accepted, newest.accepted) === 0 &&
    sameWriteId(record.state.writeId, newest.state.writeId)
  )
}

/**
 * The pages of a node's scan, as long as its link is reachable. A stopped node sends neither pages nor an
 * end, so only its link shows that it is gone.
 */
function whileReachable(
  { nodeId, link }: RepairMember,
  whole: AsyncIterable<readonly HeldEntry[]>,
  clock: Clock,
): AsyncIterable<readonly HeldEntry[]> {
  const pages = whole[Symbol.asyncIterator]()
  const next = (): Promise<IteratorResult<readonly HeldEntry[]>> =>
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
  const end = async (): Promise<IteratorResult<readonly HeldEntry[]>> => {
    await pages.return?.()
    return { done: true, value: undefined }
  }
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) }
}
