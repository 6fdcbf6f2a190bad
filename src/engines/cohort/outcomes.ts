import type { Outcome } from '../../group/registry.ts'
import type { Cluster } from '../../membership/cluster.ts'
import type { KeyFault, Outcome as RegisterOutcome } from '../../register/operation.ts'
import type { RegisterClient } from '../../replication/register-client.ts'

const NOT_REACHED = 'no quorum of nodes has been reached yet'
const TOO_FEW_ANSWERS = 'too few nodes answered in time'
const MAY_HAVE_HAPPENED = 'too few nodes answered in time to tell'

/** What a register holds, in words. */
type Thing = 'group' | 'group member' | 'API key'

/** Asks the client of a cluster, if the cluster has been found. */
export async function askCluster<T>(
  { client }: Pick<Cluster, 'client'>,
  thing: Thing,
  ask: (client: RegisterClient) => Promise<RegisterOutcome<T>>,
): Promise<Outcome<T>> {
  if (client === undefined) return { kind: 'not_applied', reason: NOT_REACHED }
  return outcomeOf(await ask(client), thing)
}

/** The outcome of an operation on a register, with its reason in words. */
export function outcomeOf<T>(outcome: RegisterOutcome<T>, thing: Thing): Outcome<T> {
  switch (outcome.kind) {
    case 'decided':
      return { kind: 'done', value: outcome.result }
    case 'not_applied':
      if (outcome.fault === 'unreadable') return { kind: 'unreadable', reason: faultOf('unreadable', thing) }
      return { kind: 'not_applied', reason: reasonOf(outcome.fault, thing, TOO_FEW_ANSWERS) }
    case 'unknown':
      return { kind: 'unknown', reason: reasonOf(outcome.fault, thing, MAY_HAVE_HAPPENED) }
    default:
      return outcome satisfies never
  }
}

function reasonOf(fault: KeyFault | undefined, thing: string, withoutFault: string): string {
  return fault === undefined ? withoutFault : faultOf(fault, thing)
}

function faultOf(fault: KeyFault, thing: string): string {
  return fault === 'exhausted'
    ? `the round numbers of this ${thing} are used up, so it cannot be changed any more: see the log`
    : `what the nodes hold for this ${thing} cannot be read: see the log`
}
