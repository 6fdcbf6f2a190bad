import type { Group } from '../../group/group.ts'
import type { ApiClient, Reply } from '../api-client.ts'
import { type Patience, patiently } from '../patiently.ts'

/** How many groups were restored so far. It is updated while groups are sent. */
export type RestoreTally = {
  restored: number
  unchanged: number
  /** The ids under which the cluster has a different group. */
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
export async function sendGroups(
  { client, groups, patience, onProgress }: SendOptions,
  tally: RestoreTally,
): Promise<void> {
  const inFlight = new Set<Promise<void>>()
  const send = async (page: readonly Group[]) => {
    const reply = await patiently(() => client.restore(page), patience)
    if (reply.kind === 'answered') {
      tally.restored += reply.value.restored
      tally.unchanged += reply.value.unchanged
      tally.conflicts.push(...reply.value.conflicts)
    } else tally.failure ??= reply
    onProgress(tally)
  }
  try {
    for await (const page of pagesOf(groups)) {
      if (patience.signal.aborted || tally.failure !== undefined) return
      const sending: Promise<void> = send(page).finally(() => inFlight.delete(sending))
      inFlight.add(sending)
      if (inFlight.size >= PAGES_IN_FLIGHT) await Promise.race(inFlight)
    }
  } finally {
    await Promise.all(inFlight)
  }
}

async function* pagesOf(groups: AsyncIterable<Group>): AsyncGenerator<readonly Group[]> {
  let page: Group[] = []
  let bytes = 0
  for await (const group of groups) {
    page.push(group)
    bytes += JSON.stringify(group).length
    if (page.length < PAGE_GROUPS && bytes < PAGE_BYTES) continue
    yield page
    page = []
    bytes = 0
  }
  if (page.length > 0) yield page
}
