import type { Outcome } from '../../group/registry.ts'
import type { KeyFault, Outcome as RegisterOutcome } from '../../register/operation.ts'

export const NOT_REACHED = 'no quorum of nodes has been reached yet'
export const TOO_FEW_ANSWERS = 'too few nodes answered in time'
const MAY_HAVE_HAPPENED = 'too few nodes answered in time to tell'

/** The outcome of an operation on a register, with its reason in words. `thing`: what the register holds. */
export function outcomeOf<T>(
  outcome: RegisterOutcome<T>,
  thing: 'group' | 'group member' | 'API key',
): Outcome<T> {
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
