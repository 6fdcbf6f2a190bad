/** The events of a watch, and how they are written as server-sent events (WHATWG HTML §9.2). */
import type { Change } from '../../../engines/engine.ts'
import { etagOf } from '../../../group/etag.ts'
import type { Group } from '../../../group/group.ts'
import { viewOf } from '../group/group-reply.ts'

/** Why the past cannot be continued. Each is a code that clients see. */
export type ResetReason =
  /** The place of the client is too old, or unknown. */
  | 'place_lost'
  /** The connector has lost too many of the nodes that it follows, and follows them again, or soon will. */
  | 'coverage_lost'
  /** The client did not read, and its connection is closed. */
  | 'client_too_slow'

export type WatchEvent =
  | Readonly<{ kind: 'group'; group: Group }>
  | Readonly<{ kind: 'group-deleted'; groupId: string; etag: string | undefined }>
  | Readonly<{ kind: 'synced' }>
  | Readonly<{ kind: 'reset'; reason: ResetReason }>

/** Which groups a watch shows. */
export type WatchFilter = Readonly<{
  /** Two filters with the same text show the same groups. */
  text: string
  prefix: string
  /** `undefined`: all groups with the prefix. */
  isWanted: ((group: Pick<Group, 'labels'>) => boolean) | undefined
}>

/**
 * The event of a change. `undefined`: the filter does not show it.
 *
 * A group that the filter does not show any more, or never has, is told as deleted: the client may have it
 * from before its labels were changed.
 */
export function eventOf(
  { groupId, group, lastEtag }: Change,
  { prefix, isWanted }: WatchFilter,
): WatchEvent | undefined {
  if (!groupId.startsWith(prefix)) return undefined
  if (group !== undefined && (isWanted === undefined || isWanted(group))) return { kind: 'group', group }
  return { kind: 'group-deleted', groupId, etag: lastEtag }
}

/** An event as text. It ends with the empty line that lets a client act on it. */
export function writeEvent(event: WatchEvent): string {
  // The empty id keeps a client from going on with the one that it has.
  const id = event.kind === 'reset' ? 'id:\n' : ''
  return `event: ${event.kind}\n${id}data: ${JSON.stringify(dataOf(event))}\n\n`
}

/** The place from which a client goes on that has got everything before. It is no event of its own. */
export function writePlace(place: string): string {
  return `id: ${place}\n\n`
}

function dataOf(event: WatchEvent): object {
  switch (event.kind) {
    case 'group':
      return { group: viewOf(event.group), etag: etagOf(event.group) }
    case 'group-deleted':
      return { groupId: event.groupId, etag: event.etag ?? null }
    case 'synced':
      return {}
    case 'reset':
      return { reason: event.reason }
    default:
      return event satisfies never
  }
}
