/** The first pages of several nodes' scans, and how far they tell the whole truth. */

import { compareKeys } from '../rpc/key-order.ts'
import type { Recipient, ScanEntry, ScanRange } from '../rpc/messages.ts'
import type { NodeTransport } from '../rpc/transport.ts'

/** A node that can be asked for its keys, and who it must be, and in which epoch. */
export type KeySource = Readonly<{ transport: Pick<NodeTransport, 'scan'>; recipient: Recipient }>

type Page = readonly ScanEntry[]

/**
 * The first page of a node's scan; empty when the range is. Rejects when the node is lost or `signal` is
 * aborted.
 */
export async function firstPage(
  { transport, recipient }: KeySource,
  range: Omit<ScanRange, 'recipient'>,
  signal: AbortSignal,
): Promise<Page> {
  for await (const page of transport.scan({ ...range, recipient }, signal)) return page
  return []
}

/**
 * The last key up to which these pages hold all keys of their nodes: the end of the shortest page, because
 * its node may hold keys after it which it has not shown. `undefined`: all pages are empty. An empty page
 * sets no limit: its node holds nothing in the range.
 */
export function horizonOf(pages: readonly Page[]): string | undefined {
  let horizon: string | undefined
  for (const page of pages) {
    const last = page.at(-1)?.key
    if (last !== undefined && (horizon === undefined || compareKeys(last, horizon) < 0)) horizon = last
  }
  return horizon
}
