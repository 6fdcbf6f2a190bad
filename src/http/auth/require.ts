/** What a caller may do: each function returns the error 403, or `undefined`. */
import type { FastifyRequest } from 'fastify'
import { type Caller, isWithin } from '../../access/caller.ts'
import { hasRight, rolesWith } from '../../access/role.ts'
import type { RouteRight, Subject } from '../../access/route-rights.ts'
import { RequestError } from '../request-error.ts'

/** Refuses a caller whose role does not give the right that the route needs. */
export function requireRight(
  caller: Caller,
  { right }: Exclude<RouteRight, 'open'>,
): RequestError | undefined {
  if (hasRight(caller.role, right)) return undefined
  const needed = rolesWith(right).join(' or ')
  return new RequestError('forbidden', `This needs the role ${needed}; ${describeCaller(caller)}.`)
}

/** Refuses a request for groups outside the caller's prefix. */
export function requireSubject(request: FastifyRequest, subject: Subject): RequestError | undefined {
  const { caller } = request
  if (caller.prefix === '') return undefined
  switch (subject) {
    case 'no group':
    case 'keys':
      return undefined
    case 'group in path':
      return outside(caller, [(request.params as { groupId: string }).groupId])
    case 'group in body':
      return outside(caller, [(request.body as { groupId: string }).groupId])
    case 'groups in body':
      return outside(
        caller,
        (request.body as { groups: readonly { groupId: string }[] }).groups.map(({ groupId }) => groupId),
      )
    case 'batch in body':
      return outside(
        caller,
        Object.values(request.body as { [part: string]: readonly { groupId: string }[] })
          .flat()
          .map(({ groupId }) => groupId),
      )
    case 'list':
      return outsideList(caller, (request.query as { prefix?: string }).prefix)
    case 'everything':
      return new RequestError('forbidden', `This needs a role without a prefix; ${describeCaller(caller)}.`)
    default:
      return subject satisfies never
  }
}

function outside(caller: Caller, groupIds: readonly string[]): RequestError | undefined {
  const groupId = groupIds.find((id) => !isWithin(caller.prefix, id))
  if (groupId === undefined) return undefined
  return new RequestError(
    'forbidden',
    `The group ${JSON.stringify(groupId)} is outside the prefix of the caller: ${describeCaller(caller)}.`,
  )
}

function outsideList(caller: Caller, prefix: string | undefined): RequestError | undefined {
  if (prefix !== undefined && isWithin(caller.prefix, prefix)) return undefined
  return new RequestError(
    'forbidden',
    `The list needs ?prefix= within the prefix of the caller: ${describeCaller(caller)}.`,
  )
}

/** What the caller has, as the end of a sentence. */
export function describeCaller({ kind, id, name, role, prefix }: Caller): string {
  const who = kind === 'key' ? `the key ${name} (${id})` : `the caller ${name}`
  const what = role === 'none' ? 'has no role' : `has the role ${role}`
  return prefix === '' ? `${who} ${what}` : `${who} ${what} for the prefix ${JSON.stringify(prefix)}`
}
