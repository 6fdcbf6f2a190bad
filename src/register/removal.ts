/**
 * Removing what is left of a deleted key: what the records of all members say, and what is to be sent for it
 * (protocol.md §6). Pure; a loop that waits and reports again is the caller's.
 */
import { type Ballot, compareBallots, isFastBallot } from './ballot.ts'
import { isDamage } from './damage.ts'
import type { Holding, KeyRecord, Request } from './messages.ts'
import { sameWriteId, type WriteId } from './state.ts'

/** What a report of all members says of a key. */
export type Finding =
  /** All hold the same tombstone, or the same chosen absence: it may become stubs. */
  | Readonly<{ kind: 'tombstone'; ballot: Ballot; writeId: WriteId }>
  /**
   * All hold a stub, with this promise, or no record (`undefined`), and at least one a stub: they may be
   * dropped.
   */
  | Readonly<{ kind: 'stubs'; promises: readonly (Ballot | undefined)[] }>
  /**
   * The same, but some promise may have been made in an earlier life of the key: it must be made anew first.
   */
  | Readonly<{ kind: 'old stubs'; promises: readonly (Ballot | undefined)[] }>
  /**
   * Nobody has accepted anything, and somebody has promised: absence must be chosen, to be removed like a
   * tombstone.
   */
  | Readonly<{ kind: 'promises'; promises: readonly (Ballot | undefined)[] }>
  /** No member has a record. */
  | Readonly<{ kind: 'nothing' }>
  /** A live state, members that differ, or a damaged record: repair's business, or nobody's. */
  | Readonly<{ kind: 'other' }>

/**
 * Reads a report: what each member of the cluster holds, where it has no record `EMPTY_RECORD`. A damaged
 * record is no word of its member: nothing is removed.
 */
export function findRemovable(holdings: readonly Holding[]): Finding {
  const records = holdings.filter((holding): holding is KeyRecord => !isDamage(holding))
  const [first] = records
  if (first === undefined || records.length < holdings.length) return { kind: 'other' }
  if (records.every((record) => isSameTombstone(record, first))) {
    return { kind: 'tombstone', ballot: first.accepted!, writeId: first.state.writeId }
  }
  if (records.some(({ accepted }) => accepted !== undefined)) return { kind: 'other' }
  const promises = records.map((record) => (isNone(record) ? undefined : record.promised))
  if (promises.every((promised) => promised === undefined)) return { kind: 'nothing' }
  if (!records.every((record) => record.isStub || isNone(record))) return { kind: 'promises', promises }
  // A classic ballot is used once in all lives of a key, so a stub that is seen with it twice was one all the
  // time. A fast one comes again after a removal.
  const isOld = promises.some((promised) => promised !== undefined && isFastBallot(promised))
  return { kind: isOld ? 'old stubs' : 'stubs', promises }
}

/**
 * Whether two reports of one key say the same: then, what they tell of has been so all the time between them.
 */
export function isSameFinding(a: Finding, b: Finding): boolean {
  if (a.kind === 'tombstone' && b.kind === 'tombstone') {
    return compareBallots(a.ballot, b.ballot) === 0 && sameWriteId(a.writeId, b.writeId)
  }
  if ('promises' in a && 'promises' in b && a.kind === b.kind) {
    return a.promises.every((promised, node) => isSameBallot(promised, b.promises[node]))
  }
  return a.kind === b.kind
}

/**
 * What to send to a member, in this order, when two reports with the grace time between them have said the
 * same. `ballot` is above every promise of the report, and its owner has never used it and never will again.
 */
export function removalRequests(finding: Finding, node: number, ballot: Ballot): readonly Request[] {
  if (finding.kind === 'tombstone') {
    const { ballot: accepted, writeId } = finding
    return [
      { kind: 'prepare', ballot },
      { kind: 'stub', ballot: accepted, writeId },
    ]
  }
  if (finding.kind !== 'stubs' && finding.kind !== 'old stubs') return []
  const promised = finding.promises[node]
  if (promised === undefined) return []
  return [finding.kind === 'stubs' ? { kind: 'drop', promised } : { kind: 'prepare', ballot }]
}

function isSameTombstone({ accepted, state }: KeyRecord, other: KeyRecord): boolean {
  return (
    state.value === undefined &&
    accepted !== undefined &&
    other.accepted !== undefined &&
    compareBallots(accepted, other.accepted) === 0 &&
    sameWriteId(state.writeId, other.state.writeId)
  )
}

/** A record that was stored has promised more than what every node promises from the start. */
function isNone({ promised, accepted, isStub }: KeyRecord): boolean {
  return accepted === undefined && !isStub && promised.round === 1 && isFastBallot(promised)
}

function isSameBallot(a: Ballot | undefined, b: Ballot | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && compareBallots(a, b) === 0)
}
