/** The register that holds the cluster's membership. It is changed by compare-and-set on the epoch. */
import { TOMBSTONE_GRACE_MS } from '../register/grace-time.ts'
import { type Decision, type Outcome, UnreadableValueError } from '../register/operation.ts'
import type { Value } from '../register/state.ts'
import type { RegisterClient } from '../replication/register-client.ts'
import { faultOf, MEMBERSHIP_KEY } from '../rpc/membership.ts'
import type { Membership } from '../rpc/messages.ts'

/** The outcome of a proposed change. */
export type ChangeOutcome =
  /** `membership` is chosen now. `isOurs`: it is the proposed one; otherwise another change was faster. */
  | Readonly<{ kind: 'decided'; membership: Membership; isOurs: boolean }>
  | Exclude<Outcome, { kind: 'decided' }>

/**
 * Proposes `next` as the membership that follows `current`. If several changes are proposed in one epoch,
 * only one is chosen. So only one change can be under way at a time, through any connector.
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

/** The membership that is chosen now. `undefined`: too few nodes answered in time. */
export async function readMembership(client: RegisterClient): Promise<Membership | undefined> {
  const outcome = await client.read(MEMBERSHIP_KEY, (value) =>
    value === undefined ? undefined : decodeMembership(value),
  )
  return outcome.kind === 'decided' ? outcome.result : undefined
}

export function encodeMembership(membership: Membership): Uint8Array {
  return Buffer.from(JSON.stringify(membership))
}

/** @throws {UnreadableValueError} */
export function decodeMembership(value: Uint8Array): Membership {
  try {
    const membership = { tombstoneGraceMs: TOMBSTONE_GRACE_MS, ...JSON.parse(Buffer.from(value).toString()) }
    const fault = faultOf(membership)
    if (fault === undefined) return membership
    throw new TypeError(fault)
  } catch (cause) {
    throw new UnreadableValueError('a value is not a membership', { cause })
  }
}

/**
 * Changes the register if it still holds the epoch of `current`. Otherwise it holds a later epoch, because it
 * never goes back. The result is the membership that the register holds afterwards.
 */
export function compareAndSet(value: Value, current: Membership, next: Membership): Decision<Membership> {
  const chosen = value === undefined ? current : decodeMembership(value)
  if (chosen.epoch !== current.epoch) return { kind: 'keep', result: chosen }
  return { kind: 'propose', value: encodeMembership(next), result: next }
}
