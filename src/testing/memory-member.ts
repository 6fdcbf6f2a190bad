/** For tests: a node of a few records in memory, which answers at once. */
import assert from 'node:assert/strict'
import { digestOf, leafOf } from '../node/store/digest-hash.ts'
import { DigestTree } from '../node/store/digest-tree.ts'
import { answer, EMPTY_RECORD } from '../register/acceptor.ts'
import type { KeyRecord, Request } from '../register/messages.ts'
import { type State, successor } from '../register/state.ts'
import type { PendingRequest } from '../replication/links/pending-request.ts'
import { compareKeys } from '../rpc/key-order.ts'
import type { DigestAnswer, DigestRequest, HeldEntry, ScanRange } from '../rpc/messages.ts'
import type { RepairMember } from '../upkeep/repair/repair-target.ts'

export class MemoryMember implements RepairMember {
  readonly nodeId: string
  readonly records = new Map<string, KeyRecord>()
  /** The kinds of the calls that it has received. */
  readonly asked: string[] = []
  /** Whether it loses every message. */
  isLost = false
  isSuspect = false
  isReachable = true
  /** Entries in a page of a scan. */
  pageSize = 2
  /** Scans that have begun and have not ended. */
  openScanCount = 0
  /** Called for each request before it is answered. */
  onRequest: (request: Request) => void = () => {}

  constructor(nodeId: string, records: readonly (readonly [key: string, record: KeyRecord])[] = []) {
    this.nodeId = nodeId
    for (const [key, record] of records) this.records.set(key, record)
  }

  get link(): RepairMember['link'] {
    return this
  }

  get transport(): RepairMember['transport'] {
    return this
  }

  send({ key, request, onAnswer, onLost }: PendingRequest): boolean {
    this.asked.push(request.kind)
    this.onRequest(request)
    if (this.isLost) {
      onLost()
      return true
    }
    const given = answer(this.records.get(key) ?? EMPTY_RECORD, request)
    this.records.set(key, given.record)
    onAnswer(given)
    return true
  }

  async digest({ branches }: DigestRequest): Promise<DigestAnswer> {
    this.asked.push(`digest ${branches.length}`)
    assert.ok(!this.isLost, 'the node is lost')
    const tree = new DigestTree()
    for (const [key, record] of this.records) tree.replace(leafOf(key), 0, digestOf(key, record))
    const digests =
      branches.length === 0 ? tree.branches : branches.flatMap((branch) => tree.leavesOf(branch))
    return { digests, mismatch: undefined }
  }

  async *scan({ start, end, leaves, omitValues }: ScanRange): AsyncGenerator<readonly HeldEntry[]> {
    this.asked.push('scan')
    assert.ok(omitValues, 'nobody needs the values')
    const entries = [...this.records]
      .map(([key, record]) => ({ key, record }))
      .filter(({ key }) => leaves?.has(leafOf(key)) && compareKeys(key, start) >= 0)
      .filter(({ key }) => end === '' || compareKeys(key, end) < 0)
      .sort((a, b) => compareKeys(a.key, b.key))
    this.openScanCount += 1
    try {
      for (let at = 0; at < entries.length; at += this.pageSize) {
        if (this.isLost) return new Promise<never>(() => {})
        yield entries.slice(at, at + this.pageSize)
      }
    } finally {
      this.openScanCount -= 1
    }
  }
}

/**
 * A record whose accepted ballot is a round of the shared ballot, and whose state was written by `writers`
 * one after the other.
 */
export function aRecord(round: number, writers: readonly number[], isChosen = true): KeyRecord {
  return {
    ...EMPTY_RECORD,
    promised: { round: round + 1, proposerId: 0 },
    accepted: { round, proposerId: 0 },
    state: aState(writers),
    chosen: isChosen,
  }
}

export function aState(writers: readonly number[]): State {
  return writers.reduce(
    (base, proposerId) => successor(base, { proposerId, sequence: 1 }, Buffer.from(`by ${proposerId}`)),
    EMPTY_RECORD.state,
  )
}
