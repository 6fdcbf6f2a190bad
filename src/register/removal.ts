/**
 * The removal of a deleted key: what the records of all members show, and which requests to send (protocol.md
 * §6). Pure: the caller waits for the grace time and reads the members again.
 */
import { type Ballot, compareBallots, isFastBallot } from './ballot.ts'
import { isDamage } from './damage.ts'
import type { Holding, KeyRecord, Request } from './messages.ts'
import { sameWriteId, type WriteId } from './state.ts'

/** What the records of all members show about a key. */
export type Finding =
  /** All hold the same tombstone, or the same chosen absence. It may become a stub on each member. */
  | Readonly<{ kind: 'tombstone'; ballot: Ballot; writeId: WriteId }>
  /**
   * All hold a stub with this promise, or no record (`undefined`), and at least one holds a stub. The stubs
   * may be dropped.
   */
  | Readonly<{ kind: 'stubs'; promises: readonly (Ballot | undefined)[] }>
  /**
   * The same, but a promise may be from before an earlier removal of the key. New promises must be made
   * first.
   */
  | Readonly<{ kind: 'old stubs'; promises: readonly (Ballot | undefined)[] }>
  /**
   * No member has accepted anything, but some have promised. An absence must be chosen first, and is then
   * removed like a tombstone.
   */
  | Readonly<{ kind: 'promises'; promises: readonly (Ballot | undefined)[] }>
  /** No member has a record. */
  | Readonly<{ kind: 'nothing' }>
  /** There is a live state, or the members differ, or a record is damaged. Removal does nothing. */
  | Readonly<{ kind: 'other' }>

/**
 * Finds out what may be removed from what each member holds (`EMPTY_RECORD` if it has no record). A damaged
 * record does not count as a report of its member, so nothing is removed.
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
  // A classic ballot is used only once for a key, also across removals. So a stub that is seen twice with the
  // same classic promise was a stub all the time. A fast ballot can come again after a removal.
  const isOld = promises.some((promised) => promised !== undefined && isFastBallot(promised))
  return { kind: isOld ? 'old stubs' : 'stubs', promises }
}

/**
 * Whether two findings for one key are the same. Then the members held the same all the time in between.
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
 * The requests to send to a member, in this order, when two findings with the grace time between them are the
 * same. `ballot` must be above every promise of the finding, and its owner must never use it for anything
 * else.
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

/** Whether the node has no record. Every stored record has a promise above the first ballot. */
function isNone({ promised, accepted, isStub }: KeyRecord): boolean {
  return accepted === undefined && !isStub && promised.round === 1 && isFastBallot(promised)
}

function isSameBallot(a: Ballot | undefined, b: Ballot | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && compareBallots(a, b) === 0)
}
