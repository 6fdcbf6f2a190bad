import { RULES, type Rules } from '../register/rules.ts'
import { type LinkOptions, NodeLink } from '../replication/links/node-link.ts'
import { VIEW_CACHE_BYTES_MAX } from '../replication/view-cache.ts'
import { quorumsOfMembership } from '../rpc/membership.ts'
import { afterAnswer, afterRound, beginTransfer, mayList } from './key-transfer.ts'
import { requireSpare } from './plan-change.ts'

/**
 * The rules of changing the membership (protocol.md §7), as values, so that a test of the checkers can pass a
 * broken rule.
 */
export type MembershipRules = Readonly<{
  /** Which nodes decide in an epoch. */
  quorumsOf: typeof quorumsOfMembership
  requireSpare: typeof requireSpare
  /** The transfer of a key: see `key-transfer.ts`. */
  transfer: Readonly<{
    mayList: typeof mayList
    begin: typeof beginTransfer
    afterRound: typeof afterRound
    afterAnswer: typeof afterAnswer
  }>
}>

/**
 * The parts of a cluster that a simulation can replace. Every connector that serves clients uses `SHIPPED`.
 */
export type Seams = Readonly<{
  /** The rules by which proposers decide. */
  rules: Rules
  membership: MembershipRules
  /** Makes the link to a node. */
  newLink: (options: LinkOptions) => NodeLink
  /** How many bytes a client uses to remember keys. */
  viewCacheBytesMax: number
  /** How long a view lives at most. The grace time of the cluster may make it shorter. */
  viewAgeMsMax: number
}>

export const SHIPPED: Seams = {
  rules: RULES,
  membership: {
    quorumsOf: quorumsOfMembership,
    requireSpare,
    transfer: { mayList, begin: beginTransfer, afterRound, afterAnswer },
  },
  newLink: (options) => new NodeLink(options),
  viewCacheBytesMax: VIEW_CACHE_BYTES_MAX,
  viewAgeMsMax: Number.POSITIVE_INFINITY,
}
