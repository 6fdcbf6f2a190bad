import type { Group } from '../../group/group.ts'
import type { ApiClient, Reply, StoredMember } from '../api-client.ts'
import { type Patience, patiently } from '../patiently.ts'

/** How many groups, or members, were restored so far. It is updated while they are sent. */
export type RestoreTally = {
  restored: number
  unchanged: number
  /** The ids under which the cluster has a different group; or of members, with their groups. */
  conflicts: string[]
  /** The reply that ended the restore. `undefined`: no request has failed. */
  failure: Exclude<Reply<unknown>, { kind: 'answered' }> | undefined
}

export function emptyTally(): RestoreTally {
  return { restored: 0, unchanged: 0, conflicts: [], failure: undefined }
}

export type SendOptions = Readonly<{
  client: Pick<ApiClient, 'restore'>
  groups: AsyncIterable<Group>
  /** When its signal aborts, no further page is sent. Pages that were sent are still waited for. */
  patience: Patience
  onProgress: (tally: RestoreTally) => void
}>

/** Groups and bytes of one request. Both are far below what the API takes (256 groups, 1 MiB). */
const PAGE_GROUPS = 128
const PAGE_BYTES = 256 * 1_024
/** Enough to keep the nodes' disks busy: 512 groups at a time, as if 512 clients created groups. */
export const PAGES_IN_FLIGHT = 4

/**
 * Sends groups to be restored, several pages at a time, and records the results in `tally`. It ends at the
 * first page that still fails after all repeats, and then waits for the pages that were sent.
 */
export function sendGroups(
  { client, groups, patience, onProgress }: SendOptions,
  tally: RestoreTally,
): Promise<void> {
  const restore = (page: readonly Group[]) => client.restore(page)
  return sendPages({ restore, items: groups, nameOf: (groupId) => groupId, patience, onProgress }, tally)
}

/** The same for members of groups. The groups must be restored already. */
export function sendMembers(
  {
    client,
    members,
    ...rest
  }: Omit<SendOptions, 'client' | 'groups'> &
    Readonly<{ client: Pick<ApiClient, 'restoreMembers'>; members: AsyncIterable<StoredMember> }>,
  tally: RestoreTally,
): Promise<void> {
  const restore = (page: readonly StoredMember[]) => client.restoreMembers(page)
  const nameOf = ({ groupId, memberId }: Pick<StoredMember, 'groupId' | 'memberId'>) =>
    `${memberId} of ${groupId}`
  return sendPages({ restore, items: members, nameOf, ...rest }, tally)
}

type PageOptions<T, C> = Pick<SendOptions, 'patience' | 'onProgress'> &
  Readonly<{
    restore: (
      page: readonly T[],
    ) => Promise<Reply<Readonly<{ restored: number; unchanged: number; conflicts: readonly C[] }>>>
    items: AsyncIterable<T>
    nameOf: (conflict: C) => string
  }>

async function sendPages<T, C>(
  { restore, items, nameOf, patience, onProgress }: PageOptions<T, C>,
  tally: RestoreTally,
): Promise<void> {
  const inFlight = new Set<Promise<void>>()
  const send = async (page: readonly T[]) => {
    const reply = await patiently(() => restore(page), patience)
    if (reply.kind === 'answered') {
      tally.restored += reply.value.restored
      tally.unchanged += reply.value.unchanged
      tally.conflicts.push(...reply.value.conflicts.map(nameOf))
    } else tally.failure ??= reply
    onProgress(tally)
  }
  try {
    for await (const page of pagesOf(items)) {
      if (patience.signal.aborted || tally.failure !== undefined) return
      const sending: Promise<void> = send(page).finally(() => inFlight.delete(sending))
      inFlight.add(sending)
      if (inFlight.size >= PAGES_IN_FLIGHT) await Promise.race(inFlight)
    }
  } finally {
    await Promise.all(inFlight)
  }
}

async function* pagesOf<T>(items: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  let page: T[] = []
  let bytes = 0
  for await (const item of items) {
    page.push(item)
    bytes += JSON.stringify(item).length
    if (page.length < PAGE_GROUPS && bytes < PAGE_BYTES) continue
    yield page
    page = []
    bytes = 0
  }
  if (page.length > 0) yield page
}
