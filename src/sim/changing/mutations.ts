/** The rules of changing the membership, each broken in turn. No process can reach any of this. */
import type { Quorums } from '../../register/quorum.ts'
import { quorumsOfMembership } from '../../rpc/membership.ts'
import { type MembershipRules, PROTOCOL, type Protocol } from '../protocol.ts'

export type MembershipMutation = Readonly<{
  /** The rule that is broken, as a sentence. */
  name: string
  protocol: Protocol
  /** Within how many seeds it must be found, from 1. */
  seedsMax: number
}>

export const MEMBERSHIP_MUTATIONS: readonly MembershipMutation[] = [
  {
    name: 'a joint epoch ends before its keys are sealed',
    protocol: withRules({ isSealed: () => true }),
    seedsMax: 20_000,
  },
  {
    name: 'a joint epoch needs only a quorum of the new members',
    protocol: withJoint(({ current, ...rest }) => ({ ...rest, current: { ...current, classic: 0 } })),
    seedsMax: 1_000,
  },
  {
    name: 'a joint epoch needs only a quorum of the old members',
    protocol: withJoint(({ incoming, ...rest }) => ({ ...rest, incoming: { ...incoming!, classic: 0 } })),
    seedsMax: 1_000,
  },
  {
    name: 'fast votes of the old members are counted among the new ones',
    protocol: withJoint(({ current, incoming, n }) => ({ n, current: incoming!, incoming: current })),
    seedsMax: 5_000,
  },
  {
    name: 'a node acts on messages of an epoch that is over',
    protocol: withRules({ refusesOlder: false }),
    seedsMax: 20_000,
  },
  {
    name: 'views outlive their epoch',
    protocol: withRules({ viewsEnd: false }),
    seedsMax: 2_000,
  },
  {
    name: 'an operation forgets at the end of an epoch what was sent for it',
    protocol: withRules({ attemptsGoOn: false }),
    seedsMax: 1_000,
  },
]

function withRules(rules: Partial<MembershipRules>): Protocol {
  return { ...PROTOCOL, membership: { ...PROTOCOL.membership, ...rules } }
}

/** Other quorums in joint epochs. */
function withJoint(change: (quorums: Quorums) => Quorums): Protocol {
  return withRules({
    quorumsOf: (membership) => {
      const quorums = quorumsOfMembership(membership)
      return quorums.incoming === undefined ? quorums : change(quorums)
    },
  })
}
