/** The protocol with one part replaced. No process that ships can reach any of this code. */

import type { Claim, isConfirmed } from '../membership/confirmation.ts'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { compareBallots } from '../register/ballot.ts'
import { isDamage } from '../register/damage.ts'
import { candidatesAt, highestAccepted, type Records } from '../register/known-chosen.ts'
import type { Damage, Holding, KeyRecord } from '../register/messages.ts'
import { type Configuration, countNodes, type Quorums } from '../register/quorum.ts'
import { ABSENT, type State } from '../register/state.ts'
import { quorumsOfMembership } from '../rpc/membership.ts'
import type { Membership } from '../rpc/messages.ts'
import { PROTOCOL, type Protocol } from './protocol.ts'

/** The protocol with another way in which nodes answer. */
export function withAnswers(answers: Protocol['answer']): Protocol {
  return { ...PROTOCOL, answer: answers }
}

/** The protocol with other rules for the removal of tombstones. */
export function withRemoval(removal: Partial<Protocol['removal']>, protocol = PROTOCOL): Protocol {
  return { ...protocol, removal: { ...protocol.removal, ...removal } }
}

/** The protocol with other rules for damaged records. */
export function withDamage(damage: Partial<Protocol['damage']>): Protocol {
  return { ...PROTOCOL, damage: { ...PROTOCOL.damage, ...damage } }
}

/** A damaged record looks like a missing one. */
export function asBlank<T extends Holding | undefined>(holding: T): KeyRecord | Exclude<T, Damage> {
  return holding !== undefined && isDamage(holding) ? EMPTY_RECORD : (holding as Exclude<T, Damage>)
}

/** The records that are not damaged. */
export function wholeOf(holdings: readonly Holding[]): readonly KeyRecord[] {
  return holdings.filter((holding): holding is KeyRecord => !isDamage(holding))
}

/** A record that was only prepared looks like a stub. */
export function asStub(record: KeyRecord): KeyRecord {
  return record.accepted === undefined && record !== EMPTY_RECORD ? { ...record, isStub: true } : record
}

/** Leaves out the record with the lowest accepted ballot, as if its node held what the others hold. */
export function withoutLowest(records: readonly KeyRecord[]): readonly KeyRecord[] {
  const [highest] = records.toSorted((a, b) => compareBallots(b.promised, a.promised))
  const lowest = records.toSorted((a, b) => (a.accepted?.round ?? 0) - (b.accepted?.round ?? 0))[0]
  return records.map((record) => (record === lowest ? highest! : record))
}

/** The protocol with other rules for changes of the membership. */
export function withMembership(rules: Partial<Protocol['membership']>): Protocol {
  return { ...PROTOCOL, membership: { ...PROTOCOL.membership, ...rules } }
}

/** The protocol with another transfer of keys in a joint epoch. */
export function withTransfer(rules: Partial<Protocol['membership']['transfer']>): Protocol {
  return withMembership({ transfer: { ...PROTOCOL.membership.transfer, ...rules } })
}

/** The protocol with other quorums in joint epochs. */
export function withJoint(change: (quorums: Quorums) => Quorums): Protocol {
  return withMembership({
    quorumsOf: (membership) => {
      const quorums = quorumsOfMembership(membership)
      return quorums.incoming === undefined ? quorums : change(quorums)
    },
  })
}

/** Believes each newer membership for which `isBelieved` holds. */
export function withBelief(isBelieved: typeof isConfirmed): Protocol {
  return withMembership({
    newestConfirmed: (current, claims) =>
      claims
        .flatMap(({ membership }) => membership ?? [])
        .filter(({ epoch }) => epoch > current.epoch)
        .sort((a, b) => b.epoch - a.epoch)
        .find((newer) => isBelieved(newer, current, claims)),
  })
}

/** The claims, as if nodes in later epochs were in this one. */
export function asIfIn(membership: Membership, claims: readonly Claim[]): readonly Claim[] {
  return claims.map((claim) =>
    (claim.membership?.epoch ?? 0) > membership.epoch ? { ...claim, membership } : claim,
  )
}

/** The protocol with other rules for proposers. */
export function withRules(rules: Partial<Protocol['rules']>): Protocol {
  return { ...PROTOCOL, rules: { ...PROTOCOL.rules, ...rules } }
}

/** The same nodes with quorums of other sizes. */
export function resize(quorums: Quorums, change: (sizes: Configuration) => Partial<Configuration>): Quorums {
  const { current } = quorums
  return { ...quorums, current: { ...current, ...change(current) } }
}

/** A state and the number of nodes that have voted for it. */
export type Tally = { state: State; count: number }

/** Of the candidates of the highest ballot, recovers the one that `order` puts first. */
export function recoverBy(promises: Records, order: (a: Tally, b: Tally) => number): State {
  const ballot = highestAccepted(promises)
  if (ballot === undefined) return ABSENT
  const tallies = candidatesAt(promises, ballot).map(({ state, voters }) => ({
    state,
    count: countNodes(voters),
  }))
  return tallies.sort(order)[0]!.state
}

/** Orders states by their writers, whatever votes they have. */
export function compareWriters(a: State, b: State): number {
  return a.writeId.proposerId - b.writeId.proposerId || a.writeId.sequence - b.writeId.sequence
}
