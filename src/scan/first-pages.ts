/** The first pages of the scans of several nodes, and up to which key they are complete. */

import { compareKeys } from '../rpc/key-order.ts'
import type { HeldEntry, Recipient, ScanRange } from '../rpc/messages.ts'
import type { NodeTransport } from '../rpc/transport.ts'

/** A node that can be scanned. `recipient`: the cluster, epoch and node that must answer. */
export type KeySource = Readonly<{ transport: Pick<NodeTransport, 'scan'>; recipient: Recipient }>

type Page = readonly HeldEntry[]

/**
 * The first page of a node's scan. It is empty if the range is empty. Rejects when the node is lost, or when
 * `signal` aborts.
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
 * The last key up to which these pages hold all keys of their nodes. It is the smallest of the pages' last
 * keys, because the node of that page may hold further keys, which it has not sent. An empty page sets no
 * limit: its node holds nothing in the range. `undefined`: all pages are empty.
 */
export function horizonOf(pages: readonly Page[]): string | undefined {
  let horizon: string | undefined
  for (const page of pages) {
    const last = page.at(-1)?.key
    if (last !== undefined && (horizon === undefined || compareKeys(last, horizon) < 0)) horizon = last
  }
  return horizon
}
