import type { Decision } from '../register/operation.ts'
import type { Value } from '../register/state.ts'
import type { RegisterClient } from '../replication/register-client.ts'
import type { Membership } from '../rpc/messages.ts'
import { decodeMembership, encodeMembership, MEMBERSHIP_KEY } from './membership-register.ts'

/**
 * Proposes the first membership of a cluster, through the register protocol with unanimous quorums. Of
 * connectors that do so at once, one decides.
 *
 * @returns the chosen membership, which may be another connector's; `undefined` when no decision was reached
 *   in time, after which discovery starts again
 */
export async function giveBirth(
  client: Pick<RegisterClient, 'submit'>,
  proposal: Membership,
): Promise<Membership | undefined> {
  const outcome = await client.submit(MEMBERSHIP_KEY, (value) => proposeUnlessChosen(value, proposal))
  // Until a node shows the membership, it is not in force: an unknown outcome is looked up like any other
  // start.
  return outcome.kind === 'decided' ? outcome.result : undefined
}

function proposeUnlessChosen(value: Value, proposal: Membership): Decision<Membership> {
  if (value !== undefined) return { kind: 'keep', result: decodeMembership(value) }
  return { kind: 'propose', value: encodeMembership(proposal), result: proposal }
}
