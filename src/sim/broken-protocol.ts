/** The protocol with one part exchanged. No process can reach any of this. */
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { compareBallots } from '../register/ballot.ts'
import { isDamage } from '../register/damage.ts'
import { candidatesAt, highestAccepted, type Records } from '../register/known-chosen.ts'
import type { Damage, Holding, KeyRecord } from '../register/messages.ts'
import { type Configuration, countNodes, type Quorums } from '../register/quorum.ts'
import { ABSENT, type State } from '../register/state.ts'
import { quorumsOfMembership } from '../rpc/membership.ts'
import { PROTOCOL, type Protocol } from './protocol.ts'

/** Other answers of nodes. */
export function withAnswers(answers: Protocol['answer']): Protocol {
  return { ...PROTOCOL, answer: answers }
}

/** Other rules of removing tombstones. */
export function withRemoval(removal: Partial<Protocol['removal']>, protocol = PROTOCOL): Protocol {
  return { ...protocol, removal: { ...protocol.removal, ...removal } }
}

/** Other rules of damaged records. */
export function withDamage(damage: Partial<Protocol['damage']>): Protocol {
  return { ...PROTOCOL, damage: { ...PROTOCOL.damage, ...damage } }
}

/** A damaged record looks like none. */
export function asBlank<T extends Holding | undefined>(holding: T): KeyRecord | Exclude<T, Damage> {
  return holding !== undefined && isDamage(holding) ? EMPTY_RECORD : (holding as Exclude<T, Damage>)
}

/** What is not damaged. */
export function wholeOf(holdings: readonly Holding[]): readonly KeyRecord[] {
  return holdings.filter((holding): holding is KeyRecord => !isDamage(holding))
}

/** A record that was only prepared looks like a stub. */
export function asStub(record: KeyRecord): KeyRecord {
  return record.accepted === undefined && record !== EMPTY_RECORD ? { ...record, isStub: true } : record
}

/** As if the node that has accepted least said what the others say. */
export function withoutLowest(records: readonly KeyRecord[]): readonly KeyRecord[] {
  const [highest] = records.toSorted((a, b) => compareBallots(b.promised, a.promised))
  const lowest = records.toSorted((a, b) => (a.accepted?.round ?? 0) - (b.accepted?.round ?? 0))[0]
  return records.map((record) => (record === lowest ? highest! : record))
}

/** Other rules of changing the membership. */
export function withMembership(rules: Partial<Protocol['membership']>): Protocol {
  return { ...PROTOCOL, membership: { ...PROTOCOL.membership, ...rules } }
}

/** Another transfer of keys in a joint epoch. */
export function withTransfer(rules: Partial<Protocol['membership']['transfer']>): Protocol {
  return withMembership({ transfer: { ...PROTOCOL.membership.transfer, ...rules } })
}

/** Other quorums in joint epochs. */
export function withJoint(change: (quorums: Quorums) => Quorums): Protocol {
  return withMembership({
    quorumsOf: (membership) => {
      const quorums = quorumsOfMembership(membership)
      return quorums.incoming === undefined ? quorums : change(quorums)
    },
  })
}

/** Other rules of proposers. */
export function withRules(rules: Partial<Protocol['rules']>): Protocol {
  return { ...PROTOCOL, rules: { ...PROTOCOL.rules, ...rules } }
}

/** The same nodes, with other numbers of them enough. */
export function resize(quorums: Quorums, change: (sizes: Configuration) => Partial<Configuration>): Quorums {
  const { current } = quorums
  return { ...quorums, current: { ...current, ...change(current) } }
}

/** A state, and how many nodes have voted for it. */
export type Tally = { state: State; count: number }

/** Recovers the candidate of the highest ballot that comes first in an order. */
export function recoverBy(promises: Records, order: (a: Tally, b: Tally) => number): State {
  const ballot = highestAccepted(promises)
  if (ballot === undefined) return ABSENT
  const tallies = candidatesAt(promises, ballot).map(({ state, voters }) => ({
    state,
    count: countNodes(voters),
  }))
  return tallies.sort(order)[0]!.state
}

/** An order of states that has nothing to do with votes. */
export function compareWriters(a: State, b: State): number {
  return a.writeId.proposerId - b.writeId.proposerId || a.writeId.sequence - b.writeId.sequence
}
