/** What the routes that change the membership have in common. */
import type { FastifyReply } from 'fastify'
import type { MemberBody } from '../../../api/member-schemas.ts'
import type { ChangeResult } from '../../../engines/engine.ts'
import { parseAddress, whyUnreachable } from '../../../process/address.ts'
import { sendFailure } from '../../outcome.ts'
import { sendProblem } from '../../problem.ts'
import { invalidRequest } from '../../request-error.ts'

export const MEMBERS_PATH = '/v1/cluster/members'
export const MEMBER_PATH = `${MEMBERS_PATH}/:nodeId`

/** Part of the description of each route. */
export const CHANGE_GOES_ON =
  'The answer comes when the change is chosen. Then this connector or another one carries it out, and clients notice nothing. `GET /v1/cluster` shows the progress. Only one change can be under way at a time.'

/** The problems of every change. */
export const CHANGE_PROBLEMS = [
  'change_in_progress',
  'members_unreachable',
  'unavailable',
  'outcome_unknown',
] as const

/** The problems of a change that makes a node a member. */
export const NEWCOMER_PROBLEMS = ['already_a_member', 'node_not_empty', 'node_unreachable'] as const

/**
 * The address in a body, as `host:port`.
 *
 * @throws RequestError when it cannot be read, or no other machine could connect to it
 */
export function addressIn({ address }: MemberBody): string {
  const parsed = parseAddress(address)
  if (parsed === undefined) {
    throw invalidRequest([
      { field: 'address', message: 'must be host:port, like 10.0.0.4:8001 or [::1]:8001' },
    ])
  }
  const why = whyUnreachable(parsed)
  if (why !== undefined) {
    const message = `must be the address at which others reach the node, and not ${parsed}, which ${why}`
    throw invalidRequest([{ field: 'address', message }])
  }
  return parsed
}

/** Answers with the result of a change. 202: it is chosen, and the engine carries it out by itself. */
export function sendChange(
  reply: FastifyReply,
  result: ChangeResult,
  retryAfterSeconds: number,
): FastifyReply {
  if (result.kind === 'accepted') return reply.code(202).send(result.change)
  if (result.kind === 'refused') return sendProblem(reply, result.code, { detail: result.reason })
  return sendFailure(reply, result, retryAfterSeconds)
}
