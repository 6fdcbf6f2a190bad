import type { ScanEntry, ScanRange } from '../rpc/messages.ts'
import type { NodeTransport } from '../rpc/transport.ts'

/** Keys in the order of their UTF-8 bytes, and where to go on; `undefined`: there are no more. */
export type KeyPage = Readonly<{ keys: readonly string[]; nextStart: string | undefined }>

/**
 * The next keys of a range, out of the pages of a classic quorum of nodes: every key with a chosen state is on at
 * least one of them. Some may turn out to be deleted, or to have no chosen state.
 *
 * @returns `undefined` when fewer than `quorum` nodes answer
 */
export async function nextKeys(
  transports: readonly NodeTransport[],
  range: Readonly<{ start: string; end: string }>,
  quorum: number,
): Promise<KeyPage | undefined> {
  const asked = transports.map((transport) => firstPage(transport, { ...range, omitValues: true }))
  const results = await Promise.allSettled(asked)
  const pages = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  if (pages.length < quorum) return undefined
  // Beyond the end of the shortest page, another node may hold keys that this one has not shown yet.
  const ends = pages.flatMap((page) => page.at(-1)?.key ?? []).sort(compareKeys)
  const horizon = ends[0]
  if (horizon === undefined) return { keys: [], nextStart: undefined }
  const keys = new Set(pages.flat().flatMap(({ key }) => (compareKeys(key, horizon) <= 0 ? [key] : [])))
  return { keys: [...keys].sort(compareKeys), nextStart: successorKey(horizon) }
}

/** The first key after `key`. */
export function successorKey(key: string): string {
  return `${key}\0`
}

/** By UTF-8 bytes, as the nodes order them; JavaScript compares UTF-16 units. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

async function firstPage(transport: NodeTransport, range: ScanRange): Promise<readonly ScanEntry[]> {
  for await (const page of transport.scan(range)) return page
  return []
}
