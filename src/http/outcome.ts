/**
 * Turns the outcome of a registry into an answer. Tables and switches cover every kind, so that the compiler
 * finds a kind that is missing.
 */
import type { FastifyReply } from 'fastify'
import type { ProblemCode } from '../api/problem-codes.ts'
import type { Decision, Group, Refusal } from '../group/group.ts'
import { LABELS_MAX } from '../group/limits.ts'
import type { Outcome } from '../group/registry.ts'
import { type ProblemExtras, sendProblem } from './problem.ts'

const DETAILS = {
  group_exists: 'A group with this groupId exists already; nothing was changed.',
  group_not_found: 'No group has this groupId.',
  version_mismatch:
    'If-Match does not name the version of the group; nothing was changed. Read the group, and decide again.',
  precondition_failed:
    'If-None-Match names the version of the group, or is *; nothing was changed. Read the group, and decide again.',
  idempotency_key_reused:
    'Another request with this Idempotency-Key has changed the group; nothing was changed now. Use a new key for each request.',
  too_many_labels: `With this patch the group would have more than ${LABELS_MAX} labels; nothing was changed.`,
} as const satisfies { [refusal in Refusal]: string }

/** The group after a change. `undefined`: the change was refused or failed, and the error has been sent. */
export function decidedGroup(
  reply: FastifyReply,
  outcome: Outcome<Decision>,
  retryAfterSeconds: number,
): Group | undefined {
  if (outcome.kind !== 'done') {
    sendFailure(reply, outcome, retryAfterSeconds)
    return undefined
  }
  if (outcome.value.kind === 'refused') {
    sendRefusal(reply, outcome.value.refusal)
    return undefined
  }
  if (outcome.value.kind === 'replayed') reply.header('idempotency-replayed', 'true')
  return outcome.value.answer
}

/** Answers that the state of the group does not allow the change. */
export function sendRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { code, extras } = refusalProblem(refusal)
  return sendProblem(reply, code, extras)
}

/** The outcome of an operation that has made no decision. */
export type Failure = Exclude<Outcome<unknown>, { kind: 'done' }>

/** A problem, before it is sent. */
export type Unsent = Readonly<{ code: ProblemCode; extras: ProblemExtras }>

/** The problem that says that the state of the group does not allow the change. */
export function refusalProblem(refusal: Refusal): Unsent {
  const detail = DETAILS[refusal]
  if (refusal !== 'too_many_labels') return { code: refusal, extras: { detail } }
  const errors = [{ field: 'labels', message: `must be at most ${LABELS_MAX} in all` }]
  return { code: refusal, extras: { detail, errors } }
}

/**
 * Answers that there was no decision.
 *
 * @param unreadable the code of the problem if what is stored cannot be read
 */
export function sendFailure(
  reply: FastifyReply,
  outcome: Failure,
  retryAfterSeconds: number,
  unreadable: 'unreadable_group' | 'unreadable_key' = 'unreadable_group',
): FastifyReply {
  const { code, extras } = failureProblem(outcome, unreadable)
  if (code === 'unavailable') reply.header('retry-after', retryAfterSeconds)
  return sendProblem(reply, code, extras)
}

/**
 * The problem that says that there was no decision: 503 if nothing was changed, 504 if that is not known, 500
 * if what is stored cannot be read.
 */
export function failureProblem(
  outcome: Failure,
  unreadable: 'unreadable_group' | 'unreadable_key' = 'unreadable_group',
): Unsent {
  switch (outcome.kind) {
    case 'not_applied': {
      const detail = `Nothing was changed, and nothing will be: ${outcome.reason}.`
      return { code: 'unavailable', extras: { detail, outcome: 'not_applied' } }
    }
    case 'unreadable': {
      const detail = `Nothing was changed: ${outcome.reason}.`
      return { code: unreadable, extras: { detail, outcome: 'not_applied' } }
    }
    case 'unknown': {
      const detail = `The change may have been made: ${outcome.reason}. Read before you repeat it.`
      return { code: 'outcome_unknown', extras: { detail, outcome: 'unknown' } }
    }
    default:
      return outcome satisfies never
  }
}
