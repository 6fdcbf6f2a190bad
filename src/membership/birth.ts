import type { Decision } from '../register/operation.ts'
import type { Value } from '../register/state.ts'
import type { RegisterClient } from '../replication/register-client.ts'
import { MEMBERSHIP_KEY } from '../rpc/membership.ts'
import type { Membership } from '../rpc/messages.ts'
import { decodeMembership, encodeMembership } from './membership-register.ts'

/**
 * Proposes the first membership of a new cluster (its *birth*), through the register protocol with unanimous
 * quorums. If several connectors propose at the same time, one of the proposals is chosen.
 *
 * @returns the chosen membership, which another connector may have proposed. `undefined`: nothing was decided
 *   in time, and the search begins again
 */
export async function giveBirth(
  client: Pick<RegisterClient, 'submit'>,
  proposal: Membership,
): Promise<Membership | undefined> {
  const outcome = await client.submit(MEMBERSHIP_KEY, (value) => proposeUnlessChosen(value, proposal))
  // After an unknown outcome the next search finds out whether the membership was chosen.
  return outcome.kind === 'decided' ? outcome.result : undefined
}

function proposeUnlessChosen(value: Value, proposal: Membership): Decision<Membership> {
  if (value !== undefined) return { kind: 'keep', result: decodeMembership(value) }
  return { kind: 'propose', value: encodeMembership(proposal), result: proposal }
}
