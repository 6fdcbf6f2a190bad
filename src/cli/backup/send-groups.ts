import type { Group } from '../../group/group.ts'
import type { ApiClient, Reply } from '../api-client.ts'
import { type Patience, patiently } from '../patiently.ts'

/** What became of the groups so far. It grows while they are sent. */
export type RestoreTally = {
  restored: number
  unchanged: number
  /** The ids under which the cluster has something else. */
  conflicts: string[]
  /** The reply that ended it. `undefined`: none did. */
  failure: Exclude<Reply<unknown>, { kind: 'answered' }> | undefined
}

export function emptyTally(): RestoreTally {
  return { restored: 0, unchanged: 0, conflicts: [], failure: undefined }
}

export type SendOptions = Readonly<{
  client: Pick<ApiClient, 'restore'>
  groups: AsyncIterable<Group>
  /** Aborted: no further page is sent; those on their way are waited for. */
  patience: Patience
  onProgress: (tally: RestoreTally) => void
}>

/** Groups of one request, at most, and about as many bytes: far below what the API takes (256; 1 MiB). */
const PAGE_GROUPS = 128
const PAGE_BYTES = 256 * 1_024
/** Enough to keep the nodes' disks busy: 512 groups at a time, as many as 512 clients would create. */
export const PAGES_IN_FLIGHT = 4

/**
 * Sends groups to be restored, some pages at a time, and writes down in `tally` what became of them. Ends at
 * the first page that fails for good; the pages on their way are waited for.
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
