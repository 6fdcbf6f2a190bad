import type { Decision } from '../register/operation.ts'
import type { Value } from '../register/state.ts'
import type { RegisterClient } from '../replication/register-client.ts'
import type { Membership } from '../rpc/messages.ts'
import { decodeMembership, encodeMembership, MEMBERSHIP_KEY } from './membership-register.ts'

/**
 * Proposes the first membership of a cluster, through the register protocol with unanimous quorums. When
 * several connectors propose at once, the proposal of one of them is chosen.
 *
 * @returns the chosen membership, which may be another connector's; `undefined` when nothing was decided in
 *   time: then the search begins again
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
