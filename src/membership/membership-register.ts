/**
 * The register whose state is the cluster's membership: read, and changed by compare-and-set on the epoch.
 */

import { TOMBSTONE_GRACE_MS } from '../register/grace-time.ts'
import type { Decision, Outcome } from '../register/operation.ts'
import type { Value } from '../register/state.ts'
import type { RegisterClient } from '../replication/register-client.ts'
import type { Membership } from '../rpc/messages.ts'

/** The reserved key. Nodes without a membership vote on it alone. */
export const MEMBERSHIP_KEY = 'cluster/membership'

/** What became of a change. */
export type ChangeOutcome =
  /** The membership that is chosen now: the one proposed, or, if another change was first, that one. */
  | Readonly<{ kind: 'decided'; membership: Membership; isOurs: boolean }>
  | Exclude<Outcome, { kind: 'decided' }>

/**
 * Has the membership behind `current` chosen, in its epoch. Of changes that are proposed at once, one is
 * chosen: that is why there is one at a time, whoever makes them.
 */
export async function changeMembership(
  client: RegisterClient,
  current: Membership,
  next: Membership,
): Promise<ChangeOutcome> {
  const outcome = await client.submit(MEMBERSHIP_KEY, (value) => compareAndSet(value, current, next))
  if (outcome.kind !== 'decided') return outcome
  const membership = outcome.result
  return { kind: 'decided', membership, isOurs: membership === next }
}

/** The membership that is chosen now; `undefined` when too few nodes answered in time. */
export async function readMembership(client: RegisterClient): Promise<Membership | undefined> {
  const outcome = await client.read(MEMBERSHIP_KEY, (value) =>
    value === undefined ? undefined : decodeMembership(value),
  )
  return outcome.kind === 'decided' ? outcome.result : undefined
}

export function encodeMembership(membership: Membership): Uint8Array {
  return Buffer.from(JSON.stringify(membership))
}

export function decodeMembership(value: Uint8Array): Membership {
  return { tombstoneGraceMs: TOMBSTONE_GRACE_MS, ...JSON.parse(Buffer.from(value).toString()) }
}

/**
 * Changes the register if it is in the epoch of `current`. It never goes back one, so else it is beyond it.
 * The result is the membership that is chosen then.
 */
export function compareAndSet(value: Value, current: Membership, next: Membership): Decision<Membership> {
  const chosen = value === undefined ? current : decodeMembership(value)
  if (chosen.epoch !== current.epoch) return { kind: 'keep', result: chosen }
  return { kind: 'propose', value: encodeMembership(next), result: next }
}
