import type { Group } from './group.ts'

/**
 * A request that its client may repeat, because it has an idempotency key. Both texts are digests, without
 * dots, so that a group stores little of each request, and nothing of its content.
 */
export type RepeatableRequest = Readonly<{
  key: string
  /** Of everything that the client asks for. */
  content: string
}>

/** How many requests a group remembers. */
export const REQUESTS_KEPT = 8

/**
 * What a group knows of a request: it was made (`same`), its key belongs to another request that was made
 * (`other`), or neither (`undefined`).
 */
export function knownRequest(
  { requests = [] }: Group,
  request: RepeatableRequest | undefined,
): 'same' | 'other' | undefined {
  if (request === undefined) return undefined
  const known = requests.findLast((stored) => stored.startsWith(`${request.key}.`))
  if (known === undefined) return undefined
  return known === storedRequest(request) ? 'same' : 'other'
}

/** The requests that a group remembers after this one. `undefined`: none. */
export function withRequest(
  requests: readonly string[] | undefined,
  request: RepeatableRequest | undefined,
): readonly string[] | undefined {
  return request === undefined
    ? requests
    : [...(requests ?? []), storedRequest(request)].slice(-REQUESTS_KEPT)
}

function storedRequest({ key, content }: RepeatableRequest): string {
  return `${key}.${content}`
}
