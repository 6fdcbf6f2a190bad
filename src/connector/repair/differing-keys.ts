/** Finds the keys in which nodes differ, by merging what they hold in some leaves. */
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { type Ballot, compareBallots } from '../../register/ballot.ts'
import type { Record } from '../../register/messages.ts'
import { sameWriteId } from '../../register/state.ts'
import type { ScanEntry } from '../../rpc/messages.ts'
import type { Clock } from '../clock.ts'
import { compareKeys } from '../key-scan.ts'
import type { RepairMember, RepairTarget } from './repair-target.ts'

/** A key of which members hold different things, as far as the scans showed: time goes on. */
export type DifferingKey = Readonly<{
  key: string
  /** What each member that was scanned holds, in their order. Values are left out. */
  records: readonly Record[]
  /** The members that lack what others have accepted. */
  lagging: readonly RepairMember[]
}>

/** How often it is looked whether a node that sends nothing is still there. */
const WATCH_MS = 500

/**
 * Scans the leaves on all members at once, and yields the keys that differ, some at a time, in their order. Each node is
 * read no faster than the keys are taken. Throws when one of the nodes is lost.
 */
export async function* differingKeys(
  { clusterId, epoch }: Pick<RepairTarget, 'clusterId' | 'epoch'>,
  members: readonly RepairMember[],
  leaves: ReadonlySet<number>,
  clock: Clock,
): AsyncGenerator<readonly DifferingKey[]> {
  const cursors = members.map((member) => {
    const recipient = { clusterId, epoch, nodeId: member.nodeId }
    const pages = member.transport.scan({ start: '', end: '', omitValues: true, leaves, recipient })
    return new Cursor(member, pages[Symbol.asyncIterator](), clock)
  })
  try {
    for (;;) {
      await Promise.all(cursors.map((cursor) => cursor.fill()))
      if (cursors.every(({ head }) => head === undefined)) return
      const found = merge(cursors)
      if (found.length > 0) yield found
    }
  } finally {
    for (const cursor of cursors) cursor.close()
  }
}

/** Goes on for as long as every member's next key is known. */
function merge(cursors: readonly Cursor[]): DifferingKey[] {
  const found: DifferingKey[] = []
  do {
    const key = firstKey(cursors)
    if (key === undefined) break
    const records = cursors.map((cursor) => cursor.takeIf(key))
    const newest = newestOf(records)
    if (newest === undefined) continue
    const lagging = cursors.flatMap(({ member }, index) =>
      hasTaken(records[index]!, newest) ? [] : [member],
    )
    if (lagging.length > 0) found.push({ key, records, lagging })
  } while (cursors.every(({ isFilled }) => isFilled))
  return found
}

function firstKey(cursors: readonly Cursor[]): string | undefined {
  let first: string | undefined
  for (const { head } of cursors) {
    if (head !== undefined && (first === undefined || compareKeys(head.key, first) < 0)) first = head.key
  }
  return first
}

type Accepted = Record & Readonly<{ accepted: Ballot }>

/** Of the records at the highest ballot one that is marked as chosen, else the first. */
function newestOf(records: readonly Record[]): Accepted | undefined {
  let newest: Accepted | undefined
  for (const record of records) {
    if (record.accepted === undefined) continue
    const order = newest === undefined ? 1 : compareBallots(record.accepted, newest.accepted)
    if (order > 0 || (order === 0 && record.chosen && !newest!.chosen)) newest = record as Accepted
  }
  return newest
}

function hasTaken({ accepted, state }: Record, newest: Accepted): boolean {
  return (
    accepted !== undefined &&
    compareBallots(accepted, newest.accepted) === 0 &&
    sameWriteId(state.writeId, newest.state.writeId)
  )
}

/** Where the scan of one member is. */
class Cursor {
  readonly member: RepairMember
  readonly #clock: Clock
  readonly #pages: AsyncIterator<readonly ScanEntry[]>
  #page: readonly ScanEntry[] = []
  #at = 0
  #isOver = false

  constructor(member: RepairMember, pages: AsyncIterator<readonly ScanEntry[]>, clock: Clock) {
    this.member = member
    this.#pages = pages
    this.#clock = clock
  }

  /** The next entry; `undefined` when the scan is over, or `fill` is to be called. */
  get head(): ScanEntry | undefined {
    return this.#page[this.#at]
  }

  /** Whether `head` tells what comes next. */
  get isFilled(): boolean {
    return this.#isOver || this.#at < this.#page.length
  }

  async fill(): Promise<void> {
    while (!this.isFilled) {
      const { done, value } = await this.#next()
      this.#isOver = done === true
      this.#page = done === true ? [] : value
      this.#at = 0
    }
  }

  /** The record of a key, if it is the next one. Else the member has none. */
  takeIf(key: string): Record {
    const head = this.head
    if (head?.key !== key) return EMPTY_RECORD
    this.#at += 1
    return head.record
  }

  close(): void {
    // A page that is waited for may never come; the transport ends what is left.
    this.#pages.return?.().catch(() => undefined)
  }

  /** The next page. A node that is stopped sends none: then its link says that it is gone. */
  #next(): Promise<IteratorResult<readonly ScanEntry[]>> {
    return new Promise((resolve, reject) => {
      let cancel = (): void => {}
      const watch = (): void => {
        cancel = this.#clock.after(WATCH_MS, () => {
          if (this.member.link.isReachable) watch()
          else reject(new Error(`node ${this.member.nodeId} was lost while it was scanned`))
        })
      }
      watch()
      this.#pages
        .next()
        .finally(() => cancel())
        .then(resolve, reject)
    })
  }
}
